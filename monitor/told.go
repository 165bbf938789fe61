package monitor

import (
	"time"

	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/pool"
)

// Plans says what auto_explain is to tell on the backends of a pool.
func (m *Monitor) Plans(k pool.Key) pool.Plans {
	mode := *m.inquiry.told.Load()
	if mode != explain.Plan && mode != explain.Analyze {
		return pool.Plans{}
	}
	owner := m.inquiry.table.Owner(k.Database, k.User)
	if owner == nil {
		return pool.Plans{}
	}
	return pool.Plans{Threshold: time.Duration(owner.Explain()), Rows: mode == explain.Analyze}
}
