// Package cache remembers answers of PostgreSQL, and serves none that a write
// through this proxy has made wrong.
//
// # The algorithm
//
// Nothing is ever taken out because of a write. Each relation has a Word, a version
// and a count of writers in flight, and so have three things that every answer
// depends on: Space.Global, Schema and ACL. A writer calls Begin before it forwards
// what makes its change visible and End when the server has answered, before the
// client is told. A reader that finds nothing takes a Stamp of the words before it
// forwards the query; if a writer is in flight it gets none, and the answer is not
// remembered. An answer is served only if each word is bit for bit what its stamp
// says. So what the store below does late, or not at all, can cost a hit and never
// makes an answer wrong.
//
//	read:   Get; if it is a miss: Stamp, Join, forward, NewEntry, Put, Fill
//	write:  Begin of each word, forward, wait for the answer, End of each word, answer
//	opaque: Global.Begin, forward with a question what it did, Bump of what it wrote, Global.Release
//	doubt:  Global.Begin until it is over, then Global.End
//
// A write that was forwarded and whose outcome is unknown stays in flight until it
// is known (the backend is gone), and ends then.
//
// # The contract
//
//   - C1. If all writes to what it reads go through this proxy, a read outside of a
//     transaction is linearizable with them: once a commit is acknowledged, or
//     anybody has seen its effect, no later read returns what was before.
//     TestLinearizable; TestModelFindsWhatIsMissing shows that each part is needed.
//   - C2. A session sees its own writes: that is a part of C1. When a transaction
//     must not use the cache any more is decided in package proxy.
//     TestHitUntilAnythingChanges.
//   - C3. Other proxies are as writes from elsewhere: C4. There is no second level.
//   - C4. A write from elsewhere is seen when the answer's time is up, at the latest:
//     TestTime. Nothing lives beyond max_ttl, whatever rules and hints ask for:
//     TestRules, TestHintsNeedLeave.
//   - C5. Stale modes extend that time and nothing else. TestStaleModes.
//   - C6. An answer is served only under an equal Key, of which all 128 bits are
//     compared: TestSecondHalfOfTheKey, TestKeys. What is in it (user, role,
//     settings, search_path) is decided in package proxy; a GRANT or a change of
//     roles is a write to Space.ACL.
//   - C7. The frames are byte for byte what the backend sent. TestBytesAreKept.
//   - C8. In doubt nothing is remembered or served, and the reason is counted:
//     TestPutDropsWhatHasMoved, TestStamp, TestStat.
//
// # Economics
//
// Whether caching pays is decided by what it wins and loses, for each Shape and each
// table (see ledger). While it does not pay it is off, and is tried again now and then:
// that costs less than 1 % (TestEconomyUnderWrites).
//
// # Ownership
//
// Words, spaces, caches, shapes and flights are for any number of goroutines. A Word
// lives as long as its Space, which lives as long as its Cache. A Hasher belongs to
// one goroutine; a Stamp is a value. An Entry is immutable and stays valid for who
// has it. A hit takes no lock but the read lock of one of ristretto's 256 shards,
// and allocates nothing.
package cache
