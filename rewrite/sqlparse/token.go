package sqlparse

// token is what the scanner finds: punctuation, a literal, a name, or one of
// PostgreSQL's keywords. Words come last, unreserved ones before reserved ones,
// so that one comparison tells their kind.
type token uint8

const (
	tokStart     token = iota // before the first token of a statement
	tokEnd                    // end of the text
	tokSemicolon              // ;
	tokComma                  // ,
	tokOpen                   // (
	tokClose                  // )
	tokDot                    // .
	tokCast                   // ::
	tokOther                  // operators, brackets and what PostgreSQL would refuse
	tokLiteral                // string, number or parameter
	tokIdent                  // a name that is no keyword
	tokQuoted                 // a name in double quotes
)

// Unreserved keywords: they can be names of functions, tables and columns too
// (PostgreSQL's categories U and T).
const (
	kwUnreserved token = iota + tokQuoted + 1 // one without a constant of its own
	kwAbort
	kwAccess
	kwAggregate
	kwAlter
	kwAuthorization
	kwBegin
	kwBy
	kwCall
	kwCharacteristics
	kwCheckpoint
	kwClose
	kwCluster
	kwCollation
	kwComment
	kwCommit
	kwConflict
	kwConstraints
	kwConversion
	kwCopy
	kwCross
	kwCube
	kwData
	kwDatabase
	kwDeallocate
	kwDeclare
	kwDelete
	kwDiscard
	kwDomain
	kwDrop
	kwEvent
	kwExclude
	kwExecute
	kwExplain
	kwExtension
	kwFirst
	kwFull
	kwFunction
	kwGlobal
	kwHold
	kwIlike
	kwImport
	kwIndex
	kwInner
	kwInsert
	kwJoin
	kwKey
	kwLanguage
	kwLeft
	kwListen
	kwLoad
	kwLocal
	kwLock
	kwMaterialized
	kwMerge
	kwMove
	kwNames
	kwNatural
	kwNext
	kwNotify
	kwNulls
	kwOf
	kwOperator
	kwOuter
	kwOver
	kwPartition
	kwPolicy
	kwPrepare
	kwPrepared
	kwProcedural
	kwProcedure
	kwPublication
	kwReassign
	kwRecursive
	kwRefresh
	kwReindex
	kwRelease
	kwReplace
	kwReset
	kwReturn
	kwRevoke
	kwRight
	kwRole
	kwRollback
	kwRollup
	kwRoutine
	kwRule
	kwSavepoint
	kwSchema
	kwSecurity
	kwSequence
	kwServer
	kwSession
	kwSet
	kwSets
	kwShow
	kwStart
	kwStatistics
	kwStdin
	kwStdout
	kwSubscription
	kwTablesample
	kwTablespace
	kwTemp
	kwTemporary
	kwText
	kwTransaction
	kwTransform
	kwTrigger
	kwTruncate
	kwTrusted
	kwType
	kwUnlisten
	kwUnlogged
	kwUpdate
	kwVacuum
	kwVarying
	kwVerbose
	kwView
	kwXml
	kwZone
)

// Reserved keywords: without quotes they cannot be names of functions
// (PostgreSQL's categories R and C).
const (
	kwReserved token = iota + kwZone + 1 // one without a constant of its own
	kwAll
	kwAnalyse
	kwAnalyze
	kwAnd
	kwAs
	kwBit
	kwCase
	kwCast
	kwChar
	kwCharacter
	kwConstraint
	kwCreate
	kwDefault
	kwDistinct
	kwDo
	kwEnd
	kwExcept
	kwExists
	kwFetch
	kwFor
	kwForeign
	kwFrom
	kwGrant
	kwGroup
	kwGrouping
	kwIntersect
	kwInto
	kwNchar
	kwNot
	kwOn
	kwOnly
	kwOr
	kwOrder
	kwPrimary
	kwReferences
	kwSelect
	kwTable
	kwThen
	kwTime
	kwTo
	kwTrue
	kwUnion
	kwUnique
	kwUser
	kwUsing
	kwValues
	kwWith

	tokenCount
)

// isWord reports whether t is a name or a keyword.
func (t token) isWord() bool { return t >= tokIdent }

// isName reports whether t is a name that is no keyword.
func (t token) isName() bool { return t == tokIdent || t == tokQuoted }

// isReserved reports whether t is a keyword that cannot be a function's name.
func (t token) isReserved() bool { return t >= kwReserved }
