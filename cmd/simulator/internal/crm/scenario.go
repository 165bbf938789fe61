package crm

import (
	"fmt"
	"slices"
	"strings"
)

// Scenario is how much data there is, and how many queries are asked.
type Scenario struct {
	Name          string
	Tenants       int
	Companies     int
	Organisations int
	Contacts      int
	Interactions  int
	Queries       int
}

var scenarios = []Scenario{
	{"small", 4, 100, 20, 2_000, 6_000, 2_000},
	{"medium", 10, 2_000, 200, 50_000, 100_000, 25_000},
	{"large", 20, 5_000, 500, 200_000, 400_000, 100_000},
	{"stress-test", 50, 20_000, 2_000, 1_000_000, 2_000_000, 400_000},
}

// ScenarioNames are small, medium, large and stress-test.
func ScenarioNames() []string {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.Name)
	}
	return names
}

// FindScenario returns the scenario of that name.
func FindScenario(name string) (Scenario, error) {
	at := slices.IndexFunc(scenarios, func(s Scenario) bool { return s.Name == name })
	if at < 0 {
		return Scenario{}, fmt.Errorf("there is no scenario %q; there are %s", name, strings.Join(ScenarioNames(), ", "))
	}
	return scenarios[at], nil
}

// Rows is how many rows all tables have together.
func (s Scenario) Rows() int64 {
	return int64(s.Tenants + 2*s.Companies + s.Organisations + 2*s.Contacts + s.Interactions)
}

// WithTenants is the same data for another number of tenants; 0 is the scenario's.
func (s Scenario) WithTenants(n int) (Scenario, error) {
	if n == 0 {
		return s, nil
	}
	if most := min(s.Companies, s.Organisations, s.Contacts, s.Interactions); n < 1 || n > most {
		return s, fmt.Errorf("scenario %s can have 1 to %d tenants, not %d: each has a row of every table", s.Name, most, n)
	}
	s.Tenants = n
	return s, nil
}
