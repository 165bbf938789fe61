package proxy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/catalog"
)

// What PURGE CACHE has done is done when it is answered: nothing older is served to
// anybody from then on, also of what is being executed at that moment.
var (
	purgeCache    = consoleCommand{words: "PURGE CACHE", tag: "PURGE", run: ifCached(purgeAll)}
	purgeCacheAll = consoleCommand{words: "PURGE CACHE ALL", tag: "PURGE", run: ifCached(purgeAll)}

	purgeCacheTable = consoleCommand{
		words: "PURGE CACHE TABLE", takes: "[schema.]name", tag: "PURGE",
		arguments: qualifiedName, run: ifCached(purgeTable),
	}
	purgeCacheTag = consoleCommand{
		words: "PURGE CACHE TAG", takes: "name", tag: "PURGE",
		arguments: oneName, run: ifCached(purgeTag),
	}
)

// ifCached runs a command about the cache, or says that there is none.
func ifCached(run func(*consoleCall) (consoleAnswer, error)) func(*consoleCall) (consoleAnswer, error) {
	return func(call *consoleCall) (consoleAnswer, error) {
		if !call.databases.serving {
			return consoleAnswer{notice: consoleNotice("pgjay: the cache is off", "cache.enabled is false.")}, nil
		}
		return run(call)
	}
}

func purgeAll(call *consoleCall) (consoleAnswer, error) {
	call.databases.cache.PurgeAll()
	call.log.Info("the cache was purged", "user", call.user)
	return consoleAnswer{}, nil
}

func purgeTag(call *consoleCall) (consoleAnswer, error) {
	tag := call.arguments[0]
	call.databases.cache.PurgeTag(tag)
	call.log.Info("the cache was purged of a tag", "user", call.user, "tag", tag)
	return consoleAnswer{}, nil
}

// purgeTable forgets what depends on a table, in all databases that have one of this
// name; without a schema, in any of them. What is read through a view depends on the
// tables behind it.
func purgeTable(call *consoleCall) (consoleAnswer, error) {
	schema, name := call.arguments[0], call.arguments[1]
	having := 0
	for _, db := range call.databases.all() {
		snapshot := db.keeper.Snapshot()
		if snapshot == nil {
			continue // nothing is kept before there is one
		}
		tables := tablesNamed(snapshot, schema, name)
		for _, oid := range tables {
			db.space.Table(oid).Bump()
		}
		if len(tables) > 0 {
			having++
		}
	}
	title := name
	if schema != "" {
		title = schema + "." + name
	}
	if having == 0 {
		return consoleAnswer{}, &wire.Error{
			Severity: "ERROR", Code: "42P01", Message: fmt.Sprintf("relation \"%s\" does not exist in any database that is cached", title),
			Hint: "Names are folded to lower case unless they are quoted.",
		}
	}
	call.log.Info("the cache was purged of a table", "user", call.user, "table", title, "databases", having)
	return consoleAnswer{notice: consoleNotice(fmt.Sprintf("databases that have \"%s\": %d", title, having), "")}, nil
}

// tablesNamed returns the relations of this name and what is behind views, with their
// partitions and children, and what they are parts of.
func tablesNamed(snapshot *catalog.Snapshot, schema, name string) []uint32 {
	var found []uint32
	snapshot.Relations(func(r *catalog.Relation) {
		if r.Name == name && (schema == "" || r.Schema == schema) {
			found = append(found, r.OID)
		}
	})
	seen := map[uint32]bool{}
	for len(found) > 0 {
		oid := found[0]
		found = found[1:]
		if r := snapshot.Relation(oid); r != nil && !seen[oid] {
			seen[oid] = true
			if r.Kind == catalog.View {
				found = append(found, r.Bases...)
			}
		}
	}
	return snapshot.Family(slices.Collect(maps.Keys(seen)))
}

// all returns the databases that are known.
func (all *databases) all() []*database {
	all.mu.Lock()
	defer all.mu.Unlock()
	return slices.Collect(maps.Values(all.known))
}
