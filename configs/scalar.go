package configs

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/rewrite"
)

// enums has the allowed values of the string types that are enumerations. The
// plain strings that are enumerations too are in validate.go.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[pool.Mode](): {
		string(pool.ModeTransaction), string(pool.ModeSession), string(pool.ModeStatement),
	},
	reflect.TypeFor[proxy.AuthMethod](): {
		string(proxy.AuthSCRAM), string(proxy.AuthMD5), string(proxy.AuthCert), string(proxy.AuthTrust),
	},
	reflect.TypeFor[rewrite.Mode](): {
		string(rewrite.ModeOff), string(rewrite.ModeShadow), string(rewrite.ModeCanary), string(rewrite.ModeOn),
	},
	reflect.TypeFor[cache.Policy](): {string(cache.Auto), string(cache.Never), string(cache.Always)},
	reflect.TypeFor[explain.Mode](): {string(explain.Off), string(explain.Plan), string(explain.Analyze)},
}

var bytesType = reflect.TypeFor[cache.Bytes]()

// parseScalar stores text into v, or says what is wrong with it: shown is the
// text as a message may quote it.
func parseScalar(text, shown string, v reflect.Value) (message, fix string) {
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		target := reflect.New(t.Elem())
		if message, fix = parseScalar(text, shown, target.Elem()); message == "" {
			v.Set(target)
		}
		return message, fix
	}
	switch {
	case t == durationType:
		return parseDuration(text, shown, v)
	case t == bytesType:
		return parseBytes(text, shown, v)
	case t.Kind() == reflect.Int:
		return parseInt(text, shown, v)
	case t.Kind() == reflect.Float64:
		return parseFloat(text, shown, v)
	case t.Kind() == reflect.Bool:
		return parseBool(text, shown, v)
	case t.Kind() == reflect.String:
		return parseString(text, shown, v)
	}
	panic("configs: no YAML form for " + t.String()) // a new type in a Config: tests find it
}

func parseString(text, shown string, v reflect.Value) (message, fix string) {
	if strings.ContainsRune(text, 0) {
		return "a text with a zero byte", "remove it"
	}
	if allowed, ok := enums[v.Type()]; ok && !slices.Contains(allowed, text) {
		return notOneOf(text, shown, allowed)
	}
	v.SetString(text)
	return "", ""
}

// notOneOf is the error for a value outside an enumeration.
func notOneOf(text, shown string, allowed []string) (message, fix string) {
	message = shown + " is not one of " + strings.Join(allowed, ", ")
	if near := closest(strings.ReplaceAll(text, "_", "-"), allowed); near != "" {
		return message, `did you mean "` + near + `"?`
	}
	return message, "use one of them"
}

func parseBool(text, shown string, v reflect.Value) (message, fix string) {
	switch text {
	case "true":
		v.SetBool(true)
	case "false":
		v.SetBool(false)
	default:
		return shown + " is not true or false", "write true or false"
	}
	return "", ""
}

func parseInt(text, shown string, v reflect.Value) (message, fix string) {
	n, err := strconv.ParseInt(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) || n > math.MaxInt32 || n < math.MinInt32 {
		return shown + " is out of range", "use a number up to 2147483647"
	}
	if err != nil {
		return shown + " is not a whole number", "write decimal digits only, such as 25"
	}
	v.SetInt(n)
	return "", ""
}

func parseFloat(text, shown string, v reflect.Value) (message, fix string) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return shown + " is not a number", "write one with decimal digits, such as 0.5 or 1e7"
	}
	v.SetFloat(f)
	return "", ""
}

func parseDuration(text, shown string, v reflect.Value) (message, fix string) {
	if _, err := strconv.ParseFloat(text, 64); err == nil && strings.Trim(text, "+-0.") != "" {
		return shown + " has no unit", fmt.Sprintf("write %ss for seconds; the units are ms, s, m and h", numeral(text))
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n < 1000000 {
			return shown + " has a unit that durations do not have", fmt.Sprintf("write %dh; the units are ms, s, m and h", n*24)
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return shown + " is not a duration", "write a number and a unit, such as 500ms, 30s, 5m or 1h30m; 0 needs no unit"
	}
	v.SetInt(int64(d))
	return "", ""
}

func parseBytes(text, shown string, v reflect.Value) (message, fix string) {
	n, err := cache.ParseBytes(text)
	if err != nil {
		return shown + " is not a number of bytes", "write a whole number, and KB, MB, GB or TB behind it, such as 256MB"
	}
	v.SetInt(int64(n))
	return "", ""
}

// numeral is text if it is short and plain, an example otherwise.
func numeral(text string) string {
	if _, err := strconv.Atoi(text); err != nil || len(text) > 9 {
		return "30"
	}
	return text
}

// example is the fix for a value of the wrong shape.
func example(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Struct:
		return "write its keys, each on a line of its own and indented: " + strings.Join(fieldKeys(t), ", ")
	case t.Kind() == reflect.Slice && isSection(t.Elem()):
		return "write a list of entries: [{" + fieldKeys(t.Elem())[0] + ": ...}]"
	case t.Kind() == reflect.Slice:
		return "write it in brackets, even if there is only one: [...]"
	}
	return "write one value after the colon"
}
