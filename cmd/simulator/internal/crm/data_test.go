package crm

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestSameSeed draws rows in another order, from another Data.
func TestSameSeed(t *testing.T) {
	small, err := FindScenario("small")
	if err != nil {
		t.Fatal(err)
	}
	a, b, other := New(small, 7), New(small, 7), New(small, 8)
	for i, table := range a.Tables() {
		first, count := table.Rows(2)
		differ := 0
		for id := first + count - 1; id >= first; id-- {
			row := table.Row(2, id)
			if again := b.Tables()[i].Row(2, id); !reflect.DeepEqual(row, again) {
				t.Fatalf("%s %d: %v, then %v", table.Name, id, row, again)
			}
			if len(row) != len(table.Columns) {
				t.Fatalf("%s has %d columns and %d values", table.Name, len(table.Columns), len(row))
			}
			if !reflect.DeepEqual(row, other.Tables()[i].Row(2, id)) {
				differ++
			}
		}
		if differ == 0 {
			t.Errorf("%s is the same with another seed", table.Name)
		}
	}
}

// TestWholeSeed wants every bit of the seed to count.
func TestWholeSeed(t *testing.T) {
	small, _ := FindScenario("small")
	emails := make(map[string]int)
	for bit := range 64 {
		_, _, email := New(small, 1<<bit).ContactName(1, 7)
		emails[email]++
	}
	if len(emails) < 60 {
		t.Errorf("64 seeds give %d addresses", len(emails))
	}
}

// TestSeedOne wants the data of seed 1 to stay what they are: what was measured of them can
// be measured again.
func TestSeedOne(t *testing.T) {
	small, _ := FindScenario("small")
	if _, _, email := New(small, 1).ContactName(2, 777); email != "kenji.kowalski.777@cobalt-motors-59.example" {
		t.Errorf("contact 777 is %s", email)
	}
}

// TestEveryRowOnce wants the tenants' rows to be all rows.
func TestEveryRowOnce(t *testing.T) {
	for _, name := range ScenarioNames() {
		s, _ := FindScenario(name)
		for _, tenants := range []int{0, 1, s.Organisations} {
			s, err := s.WithTenants(tenants)
			if err != nil {
				t.Fatal(err)
			}
			d, rows := New(s, 1), 0
			for _, table := range d.Tables() {
				next := 1
				for tenant := 1; tenant <= s.Tenants; tenant++ {
					first, count := table.Rows(tenant)
					if first != next || count < 1 {
						t.Fatalf("%s, %d tenants: tenant %d has %d rows of %s from %d, not from %d", name, s.Tenants, tenant, count, table.Name, first, next)
					}
					next += count
					rows += count
				}
			}
			if int64(rows) != s.Rows() {
				t.Errorf("%s, %d tenants: %d rows, not %d", name, s.Tenants, rows, s.Rows())
			}
		}
	}
}

// TestSkew wants the first of 1,000 about ten times as often as the tenth.
func TestSkew(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	drawn := make([]int, 1000)
	for range 1_000_000 {
		drawn[Zipf(r, len(drawn))]++
	}
	if ratio := float64(drawn[0]) / float64(drawn[9]); ratio < 7 || ratio > 14 {
		t.Errorf("the first was drawn %.1f times as often as the tenth", ratio)
	}
	if drawn[999] == 0 {
		t.Error("the last was never drawn")
	}
}

// TestContactName wants the name to be that of the row.
func TestContactName(t *testing.T) {
	small, _ := FindScenario("small")
	d := New(small, 3)
	for id := 1; id <= 50; id++ {
		row := d.ContactRow(1, id)
		if first, last, email := d.ContactName(1, id); first != row[4] || last != row[5] || email != row[6] {
			t.Fatalf("contact %d is %s %s %s, and its row %v", id, first, last, email, row)
		}
	}
}

func TestDescribe(t *testing.T) {
	s, _ := FindScenario("stress-test")
	s, _ = s.WithTenants(3)
	d := New(s, 42)
	again, err := Parse(d.Describe())
	if err != nil || !reflect.DeepEqual(d, again) {
		t.Errorf("%q gives %v, %v", d.Describe(), again, err)
	}
	for _, bad := range []string{"", "somebody's comment", "simulator: scenario=tiny tenants=1 seed=1"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%q is taken for data", bad)
		}
	}
}
