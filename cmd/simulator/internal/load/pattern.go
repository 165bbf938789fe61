package load

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
)

// Pattern is one of the things that the application asks.
type Pattern int

// pattern is what a Pattern is made of.
type pattern struct {
	name   string
	weight int // of 1,000 queries of the mix
	query  func(w *Workload, r *rand.Rand, tenant, i int) (sql string, args []any)
}

// pageSize is how many rows a list shows.
const pageSize = 25

// patterns in the order of their numbers. The SQL is what the application's
// object mapper writes: with joins that the list does not show, ANY where an
// index wants @>, OFFSET for pages.
var patterns = []pattern{
	{"contact by id", 230, byID},
	{"contact by e-mail", 200, byEmail},
	{"company's contacts", 120, companyList},
	{"company's contacts, joined", 70, companyJoined},
	{"recent interactions", 100, recent},
	{"dashboard", 120, dashboard},
	{"name ILIKE", 15, nameLike},
	{"department = ANY", 30, department},
	{"metadata joins", 20, metadata},
	{"count with EXISTS", 10, countExists},
	{"pages, walked", 20, pageWalk},
	{"pages, jumped to", 10, pageJump},
	{"update", 54, update},
	{"import of 200", 1, importBatch},
}

// String is the pattern's name.
func (p Pattern) String() string { return patterns[p].name }

// Patterns are all of them.
func Patterns() []Pattern {
	all := make([]Pattern, len(patterns))
	for i := range all {
		all[i] = Pattern(i)
	}
	return all
}

// FindPattern returns the pattern of that name.
func FindPattern(name string) (Pattern, error) {
	var names []string
	for p, pattern := range patterns {
		if pattern.name == name {
			return Pattern(p), nil
		}
		names = append(names, pattern.name)
	}
	return 0, fmt.Errorf("there is no pattern %q; there are: %s", name, strings.Join(names, "; "))
}

const contactColumns = "c.id, c.tenant_id, c.company_id, c.first_name, c.last_name, c.email, c.title, c.seniority, " +
	"c.departments, c.created_at, c.updated_at"

func byID(w *Workload, r *rand.Rand, tenant, _ int) (string, []any) {
	return "SELECT " + contactColumns + " FROM contacts AS c WHERE c.id = $1 AND c.tenant_id = $2",
		[]any{int64(w.data.ContactOf(r, tenant)), int64(tenant)}
}

func byEmail(w *Workload, r *rand.Rand, tenant, _ int) (string, []any) {
	_, _, email := w.data.ContactName(tenant, w.data.ContactOf(r, tenant))
	return "SELECT " + contactColumns + " FROM contacts AS c WHERE c.tenant_id = $1 AND c.email = $2",
		[]any{int64(tenant), email}
}

func companyList(w *Workload, r *rand.Rand, tenant, _ int) (string, []any) {
	return "SELECT " + contactColumns + " FROM contacts AS c WHERE c.company_id = $1 AND c.tenant_id = $2 " +
		"ORDER BY c.created_at DESC, c.id DESC LIMIT 25", []any{int64(w.data.CompanyOf(r, tenant)), int64(tenant)}
}

// SimpleList is the beginning of a list.
const SimpleList = "SELECT " + contactColumns + " FROM contacts AS c "

// UniquelyJoinedList is the same with joins from which nothing of the answer comes, each to
// a unique key.
const UniquelyJoinedList = SimpleList + uniqueJoins

const uniqueJoins = "LEFT JOIN companies AS co ON co.id = c.company_id LEFT JOIN organisations AS o ON o.id = c.organisation_id " +
	"LEFT JOIN contacts_metadata AS m ON m.contact_id = c.id LEFT JOIN companies_metadata AS cm ON cm.company_id = co.id "

// JoinedList is the same with one more join, for which a contact has many rows.
const JoinedList = "SELECT DISTINCT " + contactColumns + " FROM contacts AS c " + uniqueJoins +
	"LEFT JOIN interactions AS i ON i.contact_id = c.id "

func companyJoined(w *Workload, r *rand.Rand, tenant, _ int) (string, []any) {
	return JoinedList + "WHERE c.company_id = $1 AND c.tenant_id = $2 ORDER BY c.created_at DESC, c.id DESC LIMIT 25",
		[]any{int64(w.data.CompanyOf(r, tenant)), int64(tenant)}
}

func nameLike(_ *Workload, r *rand.Rand, tenant, _ int) (string, []any) {
	last := crm.LastNames()[r.IntN(len(crm.LastNames()))]
	return "SELECT " + contactColumns + " FROM contacts AS c WHERE c.tenant_id = $1 AND c.text_search ILIKE $2 " +
		"ORDER BY c.id LIMIT 25", []any{int64(tenant), "%" + last + "%"}
}

func department(_ *Workload, r *rand.Rand, tenant, _ int) (string, []any) {
	of := crm.Departments()
	return "SELECT " + contactColumns + " FROM contacts AS c WHERE $2 = ANY(c.departments) AND c.tenant_id = $1 " +
		"ORDER BY c.id LIMIT 25", []any{int64(tenant), of[crm.Zipf(r, len(of))]}
}

func metadata(_ *Workload, r *rand.Rand, tenant, _ int) (string, []any) {
	return "SELECT c.id, c.email, m.score, m.source, m.tags, cm.revenue, cm.rating FROM contacts_metadata AS m " +
			"JOIN contacts AS c ON c.id = m.contact_id LEFT JOIN companies_metadata AS cm ON cm.company_id = c.company_id " +
			"WHERE m.tenant_id = $1 AND m.score <= $2 ORDER BY m.score DESC, m.contact_id LIMIT 25",
		[]any{int64(tenant), int32(100 - crm.Zipf(r, 40))}
}

func countExists(_ *Workload, r *rand.Rand, tenant, _ int) (string, []any) {
	of := crm.Kinds()
	return "SELECT count(*) FROM contacts AS c WHERE c.tenant_id = $1 AND EXISTS " +
			"(SELECT 1 FROM interactions AS i WHERE i.contact_id = c.id AND i.kind = $2)",
		[]any{int64(tenant), of[crm.Zipf(r, len(of))]}
}

const pages = "SELECT " + contactColumns + " FROM contacts AS c WHERE c.tenant_id = $1 " +
	"ORDER BY c.created_at DESC, c.id DESC LIMIT 25 OFFSET $2"

// pageWalk goes on from page to page, and begins again at the end.
func pageWalk(w *Workload, _ *rand.Rand, tenant, i int) (string, []any) {
	last := w.data.ContactsOf(tenant) / pageSize
	return pages, []any{int64(tenant), int64(pageSize * (i / 50 % (last + 1)))}
}

func pageJump(w *Workload, r *rand.Rand, tenant, _ int) (string, []any) {
	last := w.data.ContactsOf(tenant) / pageSize
	return pages, []any{int64(tenant), int64(pageSize * r.IntN(last+1))}
}

func recent(w *Workload, r *rand.Rand, tenant, _ int) (string, []any) {
	if r.IntN(4) == 0 {
		return "SELECT i.id, i.kind, i.subject, i.happened_at, i.contact_id FROM interactions AS i WHERE i.tenant_id = $1 " +
			"ORDER BY i.happened_at DESC, i.id DESC LIMIT 25", []any{int64(tenant)}
	}
	return "SELECT i.id, i.kind, i.subject, i.happened_at FROM interactions AS i WHERE i.contact_id = $1 " +
		"ORDER BY i.happened_at DESC, i.id DESC LIMIT 25", []any{int64(w.data.ContactOf(r, tenant))}
}

// dashboard is one of a few that many people look at.
func dashboard(_ *Workload, r *rand.Rand, tenant, _ int) (string, []any) {
	all := Dashboards()
	return all[r.IntN(len(all))], []any{int64(tenant)}
}

// Dashboards are what the first page of the application asks about a tenant.
func Dashboards() []string {
	return []string{
		"SELECT i.kind, count(*) FROM interactions AS i WHERE i.tenant_id = $1 GROUP BY i.kind ORDER BY i.kind",
		"SELECT c.seniority, count(*) FROM contacts AS c WHERE c.tenant_id = $1 GROUP BY c.seniority ORDER BY c.seniority",
		"SELECT co.industry, count(*), sum(m.revenue) FROM companies AS co JOIN companies_metadata AS m ON m.company_id = co.id " +
			"WHERE co.tenant_id = $1 GROUP BY co.industry ORDER BY co.industry",
		"SELECT date_trunc('month', i.happened_at) AS month, count(*) FROM interactions AS i WHERE i.tenant_id = $1 " +
			"GROUP BY 1 ORDER BY 1",
	}
}

func update(w *Workload, r *rand.Rand, tenant, _ int) (string, []any) {
	of := crm.Titles()
	return "UPDATE contacts SET title = $3 WHERE id = $1 AND tenant_id = $2 RETURNING id, title",
		[]any{int64(w.data.ContactOf(r, tenant)), int64(tenant), of[r.IntN(len(of))]}
}

// importSize is how many contacts an import has.
const importSize = 200

// firstImported is far above the numbers of the seed.
const firstImported = 1_000_000_000

// importedApart is more than all imports of one Workload.
const importedApart = 10_000_000_000

// importBatch writes contacts that are in no other batch. Those of an earlier run
// are there already.
func importBatch(w *Workload, _ *rand.Rand, tenant, i int) (string, []any) {
	contacts := w.data.Contacts()
	args := make([]any, 0, importSize*len(contacts.Columns))
	for row := range importSize {
		args = append(args, contacts.Row(tenant, w.apart*importedApart+firstImported+i*importSize+row)...)
	}
	return w.importText, args
}
