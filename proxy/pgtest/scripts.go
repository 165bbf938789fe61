package pgtest

import (
	"slices"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Fixture is the SQL that the scripts build on. It runs once on a server,
// directly and as a superuser.
const Fixture = `
drop schema if exists wire cascade;
create schema wire;
create table wire.item (id int primary key, name text not null, price numeric);
insert into wire.item select i, 'item ' || i, i * 1.5 from generate_series(1, 1000) i;
create table wire.sink (id int, name text);
create table wire.parent (id int primary key);
create table wire.child (id int, parent int references wire.parent deferrable initially deferred);
create table wire.account (id int primary key, balance int);
create sequence wire.ticket;
create function wire.noisy(i int) returns int language plpgsql as
  $$ begin raise notice 'row %', i; return i; end $$;
create function wire.divide(a int, b int) returns int language plpgsql as $$ begin return a / b; end $$;
create function wire.fail() returns int language plpgsql as
  $$ begin raise exception 'sorry' using errcode = 'P0042', detail = 'a detail', hint = 'a hint'; end $$;
create procedure wire.commits() language plpgsql as
  $$ begin insert into wire.sink values (1, 'kept'); commit; insert into wire.sink values (2, 'lost'); rollback; end $$;
create function wire.tell() returns trigger language plpgsql as
  $$ begin raise notice 'got %', new.id; return new; end $$;
create table wire.told (id int, name text);
create trigger tell before insert on wire.told for each row execute function wire.tell();
do $$ begin
  if not exists (select from pg_roles where rolname = 'wire_reader') then create role wire_reader; end if;
end $$;
`

// Scripts returns all wire tables.
func Scripts() []Script {
	return slices.Concat(
		simpleScripts, resultScripts, transactionScripts, concurrentScripts,
		extendedScripts, describeScripts, preparedScripts, portalScripts, flushScripts,
		pipelineScripts(), pipelineErrorScripts,
		copyInScripts(), copyOutScripts(), copyExtendedScripts, functionCallScripts,
		asyncScripts, listenScripts, cancelScripts, parameterScripts, startupScripts, handshakeScripts,
		violationScripts(), sessionScripts, residueScripts(),
	)
}

// resetSink empties the table that scripts write to.
const resetSink = "truncate wire.sink"

// ask is a step that asks for one text value.
func ask(sql, want string) Step {
	return Send(Query(sql)).Expect("T *", "D "+want, "C *", "Z I")
}

// do is a step that runs one statement outside a transaction block.
func do(sql, tag string) Step { return Send(Query(sql)).Expect("C "+tag, "Z I") }

// within is do inside a transaction block.
func within(sql, tag string) Step { return Send(Query(sql)).Expect("C "+tag, "Z T") }

// once is the usual exchange: unnamed statement and portal, Describe, Sync.
func once(sql string, params ...string) []pgproto3.FrontendMessage {
	return []pgproto3.FrontendMessage{Parse("", sql), Bind("", "", params...), DescribePortal(""), Execute("", 0), Sync}
}

// chain puts messages one behind the other.
func chain(parts ...[]pgproto3.FrontendMessage) []pgproto3.FrontendMessage {
	return slices.Concat(parts...)
}

// repeat returns n times the same.
func repeat[T any](n int, items ...T) []T { return slices.Repeat(items, n) }
