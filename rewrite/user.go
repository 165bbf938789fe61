package rewrite

// UserRule is a rule of the configuration.
type UserRule struct {
	Name string `yaml:"name"`
}
