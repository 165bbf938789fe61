package configs

import (
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
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
	if m.ExplainMaxDuration <= 0 {
		c.wrong("monitor.explain_max_duration", "with "+m.ExplainMaxDuration.String()+" no statement would be executed again",
			"use a duration above 0: a long one, such as 24h, for no limit; for none to be executed say monitor.explain: plan")
	}
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
		c.wrong(path, shortNumber(f)+" is not positive", "use a number above 0")
	}
}

func shortNumber(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// thresholds wants all of them above 0, shares 1 at most, and levels in their order.
func (c check) thresholds(at string, v reflect.Value) {
	var last level
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Tag.Get("yaml"), 0.0
		if field := v.Field(i); field.Kind() == reflect.Int {
			f = float64(field.Int())
		} else {
			f = field.Float()
		}
		switch {
		case f <= 0:
			c.numberAbove(at+name, f)
		case f > 1 && isShare(name):
			c.wrong(at+name, shortNumber(f)+" is more than all", "use a share from 0 to 1")
		case last.of(name) && f < last.value:
			c.wrong(at+name, shortNumber(f)+" is less than "+last.name+", which is "+shortNumber(last.value), "use as much or more: low, medium and high come in this order", at+last.name)
		default:
			last = level{name, f}
		}
	}
}

// isShare reports whether a threshold is a part of something.
func isShare(name string) bool {
	return strings.Contains(name, "share") || name == "removed_medium" || name == "removed_high"
}

// level is a threshold that may be one of several for the same.
type level struct {
	name  string
	value float64
}

var levels = regexp.MustCompile(`^(.+)_(low|medium|high)$`)

// of reports whether a threshold is the next level of the same.
func (l level) of(name string) bool {
	one, two := levels.FindStringSubmatch(l.name), levels.FindStringSubmatch(name)
	return one != nil && two != nil && one[1] == two[1]
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
