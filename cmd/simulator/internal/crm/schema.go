package crm

import (
	"fmt"
	"strings"
)

// CreateTables makes them, with primary keys and no other index.
const CreateTables = `
create table tenants (
	id         bigint primary key,
	name       text not null,
	plan       text not null,
	created_at timestamptz not null default now()
);
create table companies (
	id         bigint primary key,
	tenant_id  bigint not null,
	name       text not null,
	domain     text not null,
	industry   text not null,
	country    text not null,
	employees  integer not null,
	keywords   text[] not null,
	created_at timestamptz not null default now()
);
create table organisations (
	id         bigint primary key,
	tenant_id  bigint not null,
	name       text not null,
	kind       text not null,
	created_at timestamptz not null default now()
);
create table contacts (
	id              bigint primary key,
	tenant_id       bigint not null,
	company_id      bigint not null,
	organisation_id bigint,
	first_name      text not null,
	last_name       text not null,
	email           text not null,
	title           text not null,
	seniority       text not null,
	departments     text[] not null,
	created_at      timestamptz not null default now(),
	updated_at      timestamptz not null default now(),
	text_search     text not null
);
create table interactions (
	id          bigint primary key,
	tenant_id   bigint not null,
	contact_id  bigint not null,
	kind        text not null,
	subject     text not null,
	happened_at timestamptz not null default now()
);
create table contacts_metadata (
	contact_id   bigint primary key,
	tenant_id    bigint not null,
	score        integer not null,
	source       text not null,
	tags         text[] not null,
	notes        text not null,
	last_seen_at timestamptz not null
);
create table companies_metadata (
	company_id bigint primary key,
	tenant_id  bigint not null,
	revenue    bigint not null,
	rating     integer not null,
	attributes jsonb not null
);`

// DropTables removes them. It fails where somebody's view or table depends on them.
const DropTables = `drop table if exists companies_metadata, contacts_metadata, interactions, contacts, organisations,
	companies, tenants`

// Indexes says which indexes there are besides those of primary keys.
type Indexes string

// The choices.
const (
	NoIndexes    Indexes = "none"
	BasicIndexes Indexes = "basic" // what a framework makes: unique and foreign keys
	FullIndexes  Indexes = "full"  // also what a person makes who has read the plans
)

// ParseIndexes reads one.
func ParseIndexes(text string) (Indexes, error) {
	switch i := Indexes(text); i {
	case NoIndexes, BasicIndexes, FullIndexes:
		return i, nil
	}
	return "", fmt.Errorf("there are no indexes %q; there are none, basic and full", text)
}

var basicIndexes = []string{
	"create unique index on contacts (tenant_id, email)",
	"create index on contacts (company_id)",
	"create index on companies (tenant_id)",
	"create index on organisations (tenant_id)",
	"create index on interactions (contact_id)",
	"create index on interactions (tenant_id)",
	"alter table companies add foreign key (tenant_id) references tenants",
	"alter table organisations add foreign key (tenant_id) references tenants",
	"alter table contacts add foreign key (tenant_id) references tenants, add foreign key (company_id) references companies, " +
		"add foreign key (organisation_id) references organisations",
	"alter table interactions add foreign key (contact_id) references contacts",
	"alter table contacts_metadata add foreign key (contact_id) references contacts",
	"alter table companies_metadata add foreign key (company_id) references companies",
}

var fullIndexes = []string{
	"create index on contacts (created_at desc, id desc)",
	"create index on contacts (tenant_id, created_at desc, id desc)",
	"create index on contacts (company_id, created_at desc, id desc)",
	"create index on contacts using gin (departments)",
	"create index on companies using gin (keywords)",
	"create index on interactions (tenant_id, happened_at desc, id desc)",
	"create index on interactions (contact_id, kind)",
	"create index on contacts_metadata (tenant_id, score desc, contact_id)",
}

// TrigramIndexes need the extension pg_trgm.
var TrigramIndexes = []string{
	"create extension if not exists pg_trgm",
	"create index on contacts using gin (text_search gin_trgm_ops)",
}

// Statements make the indexes and foreign keys, the trigram indexes apart.
func (i Indexes) Statements() []string {
	switch i {
	case BasicIndexes:
		return basicIndexes
	case FullIndexes:
		return append(append([]string{}, basicIndexes...), fullIndexes...)
	}
	return nil
}

// TableNames are the names of all tables.
func TableNames() []string {
	return strings.Fields("tenants companies organisations contacts interactions contacts_metadata companies_metadata")
}
