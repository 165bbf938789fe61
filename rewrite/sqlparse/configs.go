package sqlparse

import "strings"

// ConfigValue says what set_config is given for a value.
type ConfigValue uint8

const (
	ConfigString    ConfigValue = iota // a string, or anything else that is not NULL
	ConfigNull                         // NULL
	ConfigParameter                    // a parameter
	ConfigUnknown                      // anything
)

// Config is a call of set_config, or an UPDATE of pg_settings, which is one for each row.
type Config struct {
	// Name is that of the setting, in lower case; empty: it is no plain string.
	Name  string
	Value ConfigValue
	// Parameter is the number of the parameter.
	Parameter int
	// Local is set when the setting ends with the transaction. It is known if the third
	// argument is TRUE or FALSE.
	Local, LocalKnown bool
}

// Configs returns the calls of set_config in a text with Class.Nulls. The text is read
// again; it must not have changed since Classify.
func (c Class) Configs() []Config {
	if !c.Nulls {
		return nil
	}
	var found []Config
	cl := classifier{scanner: scanner{text: c.text}, configs: &found}
	cl.run()
	return found
}

// addConfig notes a call of set_config.
func (c *classifier) addConfig(call Config) {
	c.class.Nulls = c.class.Nulls || call.Value != ConfigString
	if c.configs != nil {
		*c.configs = append(*c.configs, call)
	}
}

// noteConfigCall notes the call of set_config that ends here.
func (c *classifier) noteConfigCall() {
	call := Config{Value: ConfigUnknown}
	if c.config.commas == 2 {
		call.Value, call.Parameter = configValue(c.text[c.config.valueAt:c.config.valueEnd])
	}
	if c.configs != nil && c.config.commas == 2 {
		call.Name = strings.ToLower(string(c.configName()))
		if strings.ContainsFunc(call.Name, notInSetting) {
			call.Name = ""
		}
		call.Local = c.prev == kwTrue && c.prev2 == tokComma
		call.LocalKnown = call.Local || c.prev2 == tokComma && c.prev.isWord() && equalFold(c.text[c.name.start:c.name.end], "false")
	}
	c.addConfig(call)
}

// configValue says what an argument is: a literal or NULL, with casts to types of one word
// behind it, or something else.
func configValue(argument []byte) (value ConfigValue, parameter int) {
	s := scanner{text: argument}
	switch t := s.next(); {
	case t == tokLiteral:
		value, parameter = literalValue(argument[s.start:s.end])
	case t.isWord() && t != tokQuoted && equalFold(argument[s.start:s.end], "null"):
		value = ConfigNull
	default:
		return ConfigUnknown, 0
	}
	for {
		switch s.next() {
		case tokEnd:
			return value, parameter
		case tokCast:
			if !s.next().isWord() {
				return ConfigUnknown, 0
			}
		default:
			return ConfigUnknown, 0
		}
	}
}

// literalValue tells a parameter from other literals.
func literalValue(literal []byte) (value ConfigValue, parameter int) {
	if literal[0] != '$' || len(literal) < 2 || literal[1] < '0' || literal[1] > '9' {
		return ConfigString, 0
	}
	for _, d := range literal[1:] {
		if d < '0' || d > '9' || parameter > 1<<16 {
			return ConfigUnknown, 0
		}
		parameter = 10*parameter + int(d-'0')
	}
	return ConfigParameter, parameter
}
