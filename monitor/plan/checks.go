package plan

// checks are all there are, in the order in which they are described in
// docs/monitoring.md.
var checks = []check{
	{"expensive node", expensiveNode},
	{"expensive by cost", expensiveByCost},
	{"row misestimate", rowMisestimate},
	{"slow scan", slowScan},
	{"inefficient index", inefficientIndex},
	{"index recheck", indexRecheck},
	{"lossy bitmap", lossyBitmap},
	{"disk sort", diskSort},
	{"hash batches", hashBatches},
	{"aggregate spill", aggregateSpill},
	{"temporary files", temporaryFiles},
	{"heap fetches", heapFetches},
	{"large offset", largeOffset},
	{"index for the order only", orderIndex},
	{"inefficient nested loop", nestedLoop},
	{"late or filter", lateOr},
	{"unindexed join", unindexedJoin},
	{"correlated subplan", correlatedSubplan},
	{"memoize thrash", memoizeThrash},
	{"jit overhead", jitOverhead},
	{"planning heavy", planningHeavy},
	{"parallel shortfall", parallelShortfall},
	{"cold cache", coldCache},
	{"predicate defeats index", defeatedIndex},
	{"stale statistics", staleStatistics},
	{"many partitions", manyPartitions},
}
