package monitor

// Command is what kind of statement an exchange was for.
type Command uint8

// The commands. CommandUtility is everything that is none of the others, and
// the zero value.
const (
	CommandUtility Command = iota
	CommandSelect
	CommandInsert
	CommandUpdate
	CommandDelete
	CommandMerge
	CommandCopy
	CommandTx // BEGIN, COMMIT, SAVEPOINT and the like
	commandCount
)

var commandNames = [commandCount]string{
	"utility", "select", "insert", "update", "delete", "merge", "copy", "tx",
}

// Source is where an exchange's answer came from.
type Source uint8

// The sources.
const (
	SourceBackend   Source = iota
	SourceCache            // remembered
	SourceCoalesced        // another client's, which was asking for the same
	SourceProxy            // the proxy's own: what no backend need be asked for
	sourceCount
)

var sourceNames = [sourceCount]string{"backend", "cache", "coalesced", "proxy"}

// seriesCount is the number of slots for pairs of a Command and a Source.
// Both counts are rounded up to powers of two, so that a mask makes every
// index a legal one.
const seriesCount = 8 * 4

func series(c Command, s Source) int { return int(c&7)<<2 | int(s&3) }

// TransactionResult is how a transaction ended.
type TransactionResult uint8

// The results.
const (
	TransactionCommitted  TransactionResult = iota
	TransactionRolledBack                   // by the client, or by PostgreSQL after an error
	TransactionLost                         // its backend or its client has gone
	transactionResultCount
)

var transactionResultNames = [transactionResultCount]string{"commit", "rollback", "lost"}

// ClientState is what a client that is logged in is doing.
type ClientState uint8

// The states. ClientGone is the state before login and after the end.
const (
	ClientGone              ClientState = iota
	ClientIdle                          // outside a transaction, waiting for nothing
	ClientActive                        // an exchange is under way
	ClientWaiting                       // for a backend
	ClientIdleInTransaction             // between two exchanges of a transaction
	clientStateCount
)

// String is the state's name, as in metrics.
func (s ClientState) String() string { return clientStateNames[s] }

var clientStateNames = [clientStateCount]string{"", "idle", "active", "waiting", "idle_in_transaction"}
