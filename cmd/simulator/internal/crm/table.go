package crm

import (
	"fmt"
	"strings"
	"time"
)

// Table is one table as it is loaded.
type Table struct {
	Name    string
	Columns []string
	// Row makes a row of a tenant from its number.
	Row func(tenant, id int) []any
	// spanOf is which numbers a tenant's rows have.
	spanOf func(t int) span
}

// Rows are the numbers of a tenant's rows: from first, count of them.
func (t Table) Rows(tenant int) (first, count int) {
	s := t.spanOf(tenant - 1)
	return s.first, s.count
}

// Insert is an INSERT of n rows, with parameters.
func (t Table) Insert(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "insert into %s (%s) values ", t.Name, strings.Join(t.Columns, ", "))
	for row := range n {
		separator := ", ("
		if row == 0 {
			separator = "("
		}
		for column := range t.Columns {
			fmt.Fprintf(&b, "%s$%d", separator, row*len(t.Columns)+column+1)
			separator = ", "
		}
		b.WriteByte(')')
	}
	return b.String()
}

// Tables are all tables, in an order in which rows refer to earlier ones.
func (d *Data) Tables() []Table {
	return []Table{
		{"tenants", strings.Fields("id name plan created_at"), d.tenantRow,
			func(t int) span { return span{t + 1, 1} }},
		{"companies", strings.Fields("id tenant_id name domain industry country employees keywords created_at"), d.companyRow,
			func(t int) span { return d.tenants[t].companies }},
		{"organisations", strings.Fields("id tenant_id name kind created_at"), d.organisationRow,
			func(t int) span { return d.tenants[t].organisations }},
		d.Contacts(),
		{"interactions", strings.Fields("id tenant_id contact_id kind subject happened_at"), d.interactionRow,
			func(t int) span { return d.tenants[t].interactions }},
		{"contacts_metadata", strings.Fields("contact_id tenant_id score source tags notes last_seen_at"), d.contactMetadataRow,
			func(t int) span { return d.tenants[t].contacts }},
		{"companies_metadata", strings.Fields("company_id tenant_id revenue rating attributes"), d.companyMetadataRow,
			func(t int) span { return d.tenants[t].companies }},
	}
}

// Contacts is the table that imports write to.
func (d *Data) Contacts() Table {
	return Table{"contacts", strings.Fields("id tenant_id company_id organisation_id first_name last_name email title " +
		"seniority departments created_at updated_at text_search"), d.ContactRow,
		func(t int) span { return d.tenants[t].contacts }}
}

func (d *Data) tenantRow(_, id int) []any {
	r := d.draw(tenantKind, id)
	return []any{int64(id), fmt.Sprintf("%s %s", words[(id-1)%len(words)], pick(r, forms)),
		pick(r, []string{"free", "team", "team", "business"}), begin.AddDate(0, 0, -r.IntN(90))}
}

// companyName is known to whoever has the company's number: contacts' addresses
// have it.
func (d *Data) companyName(id int) (name, domain string) {
	r := d.draw(companyNameKind, id)
	word, noun := pick(r, words), pick(r, nouns)
	return fmt.Sprintf("%s %s %s", word, noun, pick(r, forms)),
		fmt.Sprintf("%s-%s-%d.example", strings.ToLower(word), strings.ToLower(noun), id)
}

func (d *Data) companyRow(tenant, id int) []any {
	name, domain := d.companyName(id)
	r := d.draw(companyKind, id)
	return []any{int64(id), int64(tenant), name, domain, pick(r, industries), pick(r, countries),
		int32(1 + Zipf(r, 50_000)), some(r, keywords, 3), moment(r)}
}

func (d *Data) organisationRow(tenant, id int) []any {
	r := d.draw(organisationKind, id)
	return []any{int64(id), int64(tenant), fmt.Sprintf("%s %s Association", pick(r, words), pick(r, industries)),
		pick(r, []string{"association", "chamber", "union", "society"}), moment(r)}
}

// ContactName is a contact's first name, last name and e-mail.
func (d *Data) ContactName(tenant, id int) (first, last, email string) {
	r := d.draw(contactKind, id)
	first, last = pick(r, firstNames), pick(r, lastNames)
	_, domain := d.companyName(d.tenants[tenant-1].companies.in(r))
	return first, last, fmt.Sprintf("%s.%s.%d@%s", strings.ToLower(first), strings.ToLower(last), id, domain)
}

// ContactRow makes one, also with a number beyond those of the tenant: an import.
func (d *Data) ContactRow(tenant, id int) []any {
	r := d.draw(contactKind, id)
	first, last := pick(r, firstNames), pick(r, lastNames)
	company := d.tenants[tenant-1].companies.in(r)
	name, domain := d.companyName(company)
	email := fmt.Sprintf("%s.%s.%d@%s", strings.ToLower(first), strings.ToLower(last), id, domain)
	var organisation any // most are in none
	if r.IntN(10) < 3 {
		organisation = int64(d.tenants[tenant-1].organisations.in(r))
	}
	created := moment(r)
	updated := created.Add(time.Duration(r.Int64N(int64(end.Sub(created)) + 1))).Truncate(time.Second)
	return []any{int64(id), int64(tenant), int64(company), organisation, first, last, email, titles[Zipf(r, len(titles))],
		seniorities[Zipf(r, len(seniorities))], some(r, departments, 3), created, updated,
		strings.ToLower(first + " " + last + " " + email + " " + name)}
}

func (d *Data) interactionRow(tenant, id int) []any {
	r := d.draw(interactionKind, id)
	return []any{int64(id), int64(tenant), int64(d.tenants[tenant-1].contacts.in(r)), kinds[Zipf(r, len(kinds))],
		fmt.Sprintf("%s with %s", pick(r, subjects), pick(r, words)), moment(r)}
}

func (d *Data) contactMetadataRow(tenant, id int) []any {
	r := d.draw(contactMetadataKind, id)
	return []any{int64(id), int64(tenant), int32(r.IntN(101)), pick(r, sources), some(r, keywords, 2),
		fmt.Sprintf("Met at the %s of %s", pick(r, sources), pick(r, words)), moment(r)}
}

func (d *Data) companyMetadataRow(tenant, id int) []any {
	r := d.draw(companyMetadataKind, id)
	return []any{int64(id), int64(tenant), r.Int64N(50_000_000), int32(1 + r.IntN(5)),
		map[string]any{"source": pick(r, sources), "listed": r.IntN(20) == 0}}
}
