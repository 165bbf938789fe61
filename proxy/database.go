package proxy

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/rewrite"
	"github.com/pgjay/pgjay/rewrite/catalog"
)

// database is what is known of the contents of one database, for the cache: what
// its clients' statements read and change. Any number of goroutines may use it.
type database struct {
	cache  *cache.Cache
	space  *cache.Space
	keeper *catalog.Keeper
	pools  *pool.Set
	server string // as pool.Pool.Server names it
	name   string
	log    *slog.Logger

	reader pool.Key               // as whom the catalog is read
	ticket atomic.Uint64          // of the last refresh that was asked for
	judged atomic.Pointer[judged] // of the latest snapshot

	done chan struct{} // closed when the server ends
	// await returns when there is no backend with this process ID any more.
	await func(pid uint32)

	mu         sync.Mutex
	signatures map[signatureKey]*signature // guarded by mu
	verdicts   map[verdictKey]*verdict     // guarded by mu
	tutors     map[pool.Key]*tutor         // guarded by mu
	samplers   map[pool.Key]*tutor         // guarded by mu; those that may take long
	rewritten  map[rewriteKey]*rewritten   // guarded by mu
}

// catalogPoll is how often it is looked whether somebody else has changed the schema.
const catalogPoll = time.Second

// databases has the databases that clients have logged in to. It is safe for
// concurrent use.
type databases struct {
	cache *cache.Cache // nil: nothing is cached or rewritten, and nothing here is used
	// serving is set when answers are cached. Without it the cache has the words of
	// what changes, and nothing else.
	serving bool
	// engine is what rewrites; one that is not On does not.
	engine    atomic.Pointer[rewrite.Engine]
	bookmarks *rewrite.Bookmarks // of deep pages; nil: none are kept
	deepCounts

	mu    sync.Mutex
	known map[string]*database // guarded by mu; by pool.Pool.Server
}

// databaseOf returns what is known of the database of a pool; nil if nothing is
// cached.
func (sh *shared) databaseOf(p *pool.Pool) *database {
	all := &sh.databases
	if all.cache == nil {
		return nil
	}
	key, server := p.Key(), p.Server()
	all.mu.Lock()
	defer all.mu.Unlock()
	db := all.known[server]
	if db == nil {
		db = sh.newDatabase(server, key)
		if all.known == nil {
			all.known = make(map[string]*database)
		}
		all.known[server] = db
	}
	return db
}

func (sh *shared) newDatabase(server string, reader pool.Key) *database {
	db := &database{
		cache: sh.databases.cache, space: sh.databases.cache.Space(server), pools: sh.pools, server: server, name: reader.Database, log: sh.log, done: make(chan struct{}),
		signatures: make(map[signatureKey]*signature), verdicts: make(map[verdictKey]*verdict), tutors: make(map[pool.Key]*tutor),
		samplers: make(map[pool.Key]*tutor), rewritten: make(map[rewriteKey]*rewritten),
	}
	db.reader, db.await = reader, db.awaitEnd
	db.keeper = catalog.NewKeeper(db.connect, catalogPoll, db.changedOutside)
	return db
}

// open makes ready what the configuration asks for.
func (all *databases) open(c cache.Config, r rewrite.Config) error {
	engine, err := rewrite.New(r)
	if err != nil {
		return err
	}
	all.engine.Store(engine)
	if r.Offset.Enabled {
		all.bookmarks = rewrite.NewBookmarks(r.Offset.Memory())
	}
	if all.serving = c.Enabled; !c.Enabled && !engine.On() && !r.Offset.Enabled {
		return nil
	}
	if !c.Enabled {
		c = cache.DefaultConfig()
		c.Size = cache.MB // of which nothing is used
	}
	all.cache, err = cache.New(c)
	return err
}

// close ends what the databases have running.
func (all *databases) close() {
	if all.cache == nil {
		return
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, db := range all.known {
		close(db.done)
		db.keeper.Close()
		db.closeTutors()
	}
	all.cache.Close()
}

// connect logs in to read the catalog.
func (db *database) connect(ctx context.Context) (*pgconn.PgConn, error) {
	return db.pools.Connect(ctx, db.reader)
}

// changedOutside is called when the keeper has seen a change, by one of our clients or
// not. What new backends start with is no part of signatures: so where that has
// changed the old ones go, before anything is kept that is good from now on.
func (db *database) changedOutside(c catalog.Change) {
	if c.Defaults {
		db.pools.Renew(db.server)
		db.closeTutors()
	}
	if c.Schema || c.Roles {
		db.space.Schema.Bump() // which all answers and findings depend on
	}
	snapshot := db.keeper.Snapshot()
	if len(c.Rewritten) == 0 || snapshot == nil {
		return
	}
	for _, oid := range snapshot.Family(c.Rewritten) {
		db.space.Table(oid).Bump()
	}
}

// generation counts the changes of the schema and of rights. What was found out
// about statements is good for one generation. Without ok one is under way.
func (db *database) generation() (n uint64, ok bool) {
	schema, schemaStable := db.space.Schema.Load()
	acl, aclStable := db.space.ACL.Load()
	return schema + acl, schemaStable && aclStable
}

// snapshot returns the schema as it is now; nil if it is being changed or has not
// been read since.
func (db *database) snapshot() *catalog.Snapshot {
	if _, stable := db.generation(); !stable {
		return nil
	}
	return db.keeper.Fresh(db.ticket.Load())
}

// schemaChanged is called when a client's change of the schema has ended, before
// the words say so.
func (db *database) schemaChanged() { db.ticket.Store(db.keeper.Refresh()) }

// mayChangeRoles reports whether a statement may be about roles, which all databases
// of a server share.
func mayChangeRoles(text []byte) bool {
	for _, word := range [...]string{"role", "user", "group", "grant", "revoke", "owned", "database"} {
		if containsFold(text, word) {
			return true
		}
	}
	return false
}

func containsFold(text []byte, word string) bool {
	return strings.Contains(strings.ToLower(string(text)), word)
}
