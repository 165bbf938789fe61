package configs

import (
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/pgjay/pgjay/monitor"
)

func (c check) monitor() {
	m := &c.cfg.Monitor
	const never = "for never"
	c.atLeast("monitor.max_statements", m.MaxStatements, 0)
	c.atLeast("monitor.top_statements", m.TopStatements, 0)
	if most := 100; m.TopStatements > most {
		c.wrong("monitor.top_statements", strconv.Itoa(m.TopStatements)+" is too many", fmt.Sprintf("use %d at most", most))
	}
	c.notNegative("monitor.slow_threshold", m.SlowThreshold, never)
	c.named("monitor.tags", m.Tags)
	if u, err := url.Parse(m.OTLP); m.OTLP != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		c.wrong("monitor.otlp", c.quote("monitor.otlp", m.OTLP)+" is no URL of a collector", "write one such as http://127.0.0.1:4318")
	}
	c.notNegative("monitor.explain_threshold", m.ExplainThreshold, never)
	c.atLeast("monitor.explain_rate", m.ExplainRate, 1)
	c.positive("monitor.explain_cooldown", m.ExplainCooldown)
	c.positive("monitor.explain_retry", m.ExplainRetry)
	c.notNegative("monitor.explain_max_duration", m.ExplainMaxDuration, "to execute nothing")
	c.positive("monitor.explain_timeout", m.ExplainTimeout)
	c.numberAbove("monitor.explain_max_cost", m.ExplainMaxCost)
	c.atLeast("monitor.keep_plans", m.KeepPlans, 1)
	c.thresholds("monitor.findings.", reflect.ValueOf(m.Findings))
	c.thresholds("monitor.advice.", reflect.ValueOf(m.Advice))
	c.monitorOverrides("monitor.databases", m.Databases)
	c.monitorOverrides("monitor.users", m.Users)
}

// numberAbove wants a number above 0.
func (c check) numberAbove(path string, f float64) {
	if f <= 0 {
		c.wrong(path, strconv.FormatFloat(f, 'g', -1, 64)+" is not positive", "use a number above 0")
	}
}

// thresholds wants all of them above 0.
func (c check) thresholds(at string, v reflect.Value) {
	for i := range v.NumField() {
		path := at + v.Type().Field(i).Tag.Get("yaml")
		if f := v.Field(i); f.Kind() == reflect.Int {
			c.numberAbove(path, float64(f.Int()))
		} else {
			c.numberAbove(path, f.Float())
		}
	}
}

func (c check) monitorOverrides(path string, list []monitor.Override) {
	first := make(map[string]bool)
	for i, o := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case o.Name == "":
			c.missing(at+".name", "an entry without a name", "write the name as clients give it", at)
		case first[o.Name]:
			c.wrong(at+".name", c.quote(at+".name", o.Name)+" is there twice", "keep one of them")
		}
		first[o.Name] = true
		for key, d := range map[string]*time.Duration{".slow_threshold": o.SlowThreshold, ".explain_threshold": o.ExplainThreshold} {
			if d != nil {
				c.notNegative(at+key, *d, "for never")
			}
		}
	}
}
