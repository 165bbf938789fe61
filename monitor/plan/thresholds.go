package plan

// Thresholds says from when on something in a plan is a finding. Shares are from 0 to 1.
type Thresholds struct {
	// ShareLow, ShareMedium and ShareHigh are of the time, or the cost, that a node alone
	// takes. Choose them lower to see more.
	ShareLow    float64 `yaml:"share_low"`
	ShareMedium float64 `yaml:"share_medium"`
	ShareHigh   float64 `yaml:"share_high"`
	// MisestimateLow, ... are by what factor a number of rows was wrong.
	MisestimateLow    float64 `yaml:"misestimate_low"`
	MisestimateMedium float64 `yaml:"misestimate_medium"`
	MisestimateHigh   float64 `yaml:"misestimate_high"`
	// RemovedMedium and RemovedHigh are the share of rows that a scan reads in vain, of at
	// least RemovedRows.
	RemovedMedium float64 `yaml:"removed_medium"`
	RemovedHigh   float64 `yaml:"removed_high"`
	RemovedRows   float64 `yaml:"removed_rows"`
	// IndexRemovedRows is the same for a scan of an index, RecheckShare for what it has to
	// look at twice.
	IndexRemovedRows float64 `yaml:"index_removed_rows"`
	RecheckShare     float64 `yaml:"recheck_share"`
	// TempMB is written to temporary files.
	TempMB float64 `yaml:"temp_mb"`
	// OffsetFactor and OffsetRows: so many times the rows that are wanted are read first.
	OffsetFactor float64 `yaml:"offset_factor"`
	OffsetRows   float64 `yaml:"offset_rows"`
	// LoopsNested and LoopsSubplan are executions of the inner side of a nested loop, and
	// of a subquery for each row.
	LoopsNested  float64 `yaml:"loops_nested"`
	LoopsSubplan float64 `yaml:"loops_subplan"`
	// JITMS and PlanningMS are the time of compiling and of planning that may be too much.
	JITMS      float64 `yaml:"jit_ms"`
	PlanningMS float64 `yaml:"planning_ms"`
	// WorkerSkew is by what factor the workers of a parallel part differ.
	WorkerSkew float64 `yaml:"worker_skew"`
	// ColdShare of at least ColdBlocks blocks was not in PostgreSQL's buffers.
	ColdShare  float64 `yaml:"cold_share"`
	ColdBlocks float64 `yaml:"cold_blocks"`
	// StaleDays, or StaleShare of the rows changed, makes statistics old.
	StaleDays  float64 `yaml:"stale_days"`
	StaleShare float64 `yaml:"stale_share"`
	// Partitions is how many are read at once.
	Partitions int `yaml:"partitions"`
}

// DefaultThresholds returns the built-in defaults. The shares and factors are those of
// pev2, the rows those of pghero and pganalyze.
func DefaultThresholds() Thresholds {
	return Thresholds{
		ShareLow: 0.1, ShareMedium: 0.4, ShareHigh: 0.9,
		MisestimateLow: 10, MisestimateMedium: 100, MisestimateHigh: 1000,
		RemovedMedium: 0.5, RemovedHigh: 0.9, RemovedRows: 10_000,
		IndexRemovedRows: 1000, RecheckShare: 0.5,
		TempMB:       8,
		OffsetFactor: 10, OffsetRows: 1000,
		LoopsNested: 1000, LoopsSubplan: 100,
		JITMS: 50, PlanningMS: 10,
		WorkerSkew: 4,
		ColdShare:  0.5, ColdBlocks: 1000,
		StaleDays: 7, StaleShare: 0.1,
		Partitions: 100,
	}
}
