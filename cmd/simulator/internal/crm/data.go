package crm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Data knows every row of a scenario. It is safe for concurrent use.
type Data struct {
	Scenario
	Seed    uint64
	tenants []tenant
}

// tenant is which rows belong to a tenant, of each table in which they stand
// together: the first number and how many.
type tenant struct {
	companies, organisations, contacts, interactions span
}

type span struct{ first, count int }

// Describe is a line from which Parse makes the same data.
func (d *Data) Describe() string {
	return fmt.Sprintf("simulator: scenario=%s tenants=%d seed=%d", d.Name, d.Tenants, d.Seed)
}

// Parse reads what Describe has written.
func Parse(line string) (*Data, error) {
	var name string
	var tenants int
	var seed uint64
	if _, err := fmt.Sscanf(line, "simulator: scenario=%s tenants=%d seed=%d", &name, &tenants, &seed); err != nil {
		return nil, fmt.Errorf("%q does not describe data: %w", line, err)
	}
	s, err := FindScenario(name)
	if err == nil {
		s, err = s.WithTenants(tenants)
	}
	if err != nil {
		return nil, err
	}
	return New(s, seed), nil
}

// New returns the data of a scenario.
func New(s Scenario, seed uint64) *Data {
	d := &Data{Scenario: s, Seed: seed, tenants: make([]tenant, s.Tenants)}
	companies, organisations := shares(s.Companies, s.Tenants), shares(s.Organisations, s.Tenants)
	contacts, interactions := shares(s.Contacts, s.Tenants), shares(s.Interactions, s.Tenants)
	for t := range d.tenants {
		d.tenants[t] = tenant{companies[t], organisations[t], contacts[t], interactions[t]}
	}
	return d
}

// shares divides n rows among tenants as Zipf found cities to be: the second has
// half of what the first has, the third a third. Each has one row at least.
func shares(n, tenants int) []span {
	weight := 0.0
	for t := range tenants {
		weight += 1 / float64(t+1)
	}
	spans := make([]span, tenants)
	first, sum := 1, 0.0
	for t := range spans {
		sum += 1 / float64(t+1)
		end := max(int(math.Round(float64(n-tenants)*sum/weight))+t+1, first)
		spans[t] = span{first, end + 1 - first}
		first = end + 1
	}
	return spans
}

// kind of a row, so that rows of two tables with the same number differ.
type kind uint64

const (
	tenantKind kind = iota + 1
	companyNameKind
	companyKind
	organisationKind
	contactKind
	interactionKind
	contactMetadataKind
	companyMetadataKind
)

// draw is the source of all that a row holds. The seed's first eight bits go where an id
// has none, so that no two seeds are the same.
func (d *Data) draw(k kind, id int) *rand.Rand {
	const kindBits, seedBits = 8, 64
	return rand.New(rand.NewPCG(d.Seed<<kindBits|uint64(k), uint64(id)|d.Seed>>(seedBits-kindBits)<<(seedBits-kindBits)))
}

// Zipf draws a number below n, the first ones more often: the first 1.7 times as often
// as the second, ten times as often as the tenth.
func Zipf(r *rand.Rand, n int) int {
	at := int(math.Exp(r.Float64()*math.Log(float64(n)+1))) - 1
	return min(max(at, 0), n-1)
}

// in draws one of a span's rows, the first ones more often.
func (s span) in(r *rand.Rand) int { return s.first + Zipf(r, s.count) }

// pick draws one of a list.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

var (
	begin = time.Date(2021, 1, 4, 8, 0, 0, 0, time.UTC)
	end   = time.Date(2026, 5, 1, 18, 0, 0, 0, time.UTC)
)

// moment draws one, to the second.
func moment(r *rand.Rand) time.Time {
	return begin.Add(time.Duration(r.Int64N(int64(end.Sub(begin))))).Truncate(time.Second)
}

// TenantOf draws a tenant, from 1, the big ones more often.
func (d *Data) TenantOf(r *rand.Rand) int { return Zipf(r, d.Tenants) + 1 }

// ContactOf draws a contact of a tenant.
func (d *Data) ContactOf(r *rand.Rand, tenant int) int { return d.tenants[tenant-1].contacts.in(r) }

// CompanyOf draws a company of a tenant.
func (d *Data) CompanyOf(r *rand.Rand, tenant int) int { return d.tenants[tenant-1].companies.in(r) }

// ContactsOf is how many contacts a tenant has.
func (d *Data) ContactsOf(tenant int) int { return d.tenants[tenant-1].contacts.count }
