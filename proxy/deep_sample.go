package proxy

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/rewrite"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// sampled is what a list is counted through by.
type sampled struct {
	text   string
	paging sqlparse.Paging
	args   *arguments // nil: there are no parameters
}

// sampler counts one list through, in a goroutine.
type sampler struct {
	db        *database
	key       pool.Key
	signature *signature
	findings  *findings
	list      rewrite.ListKey
	bookmarks *rewrite.Bookmarks
	timeout   time.Duration
	began     int64 // of the loops' clock
	counts    *deepCounts
	*sampled
}

const (
	// maxSamplers bounds how many lists are counted through, or wait for it, at once.
	maxSamplers = 8
	// sampleStep is how many rows there are between two bookmarks, at least.
	sampleStep = 50
	// maxSampleBytes bounds the bookmarks of one list.
	maxSampleBytes = 1 << 20
	// sampleRest is how long a list is not counted through again. After one that has
	// taken long it is restFactor times that.
	sampleRest = 10 * time.Second
	restFactor = 20
)

// sampleHot has a list counted through, if pages far from any bookmark are asked for
// again and again.
func (s *session) sampleHot(p *deepPage, by *sampled) {
	const near = 4 * sampleStep
	now, cfg := s.loop.Now(), &s.settings().rewrite.Offset
	if p.form == pageMarked && p.offset-p.mark.Rank <= near || !cfg.Sample || !s.databases.bookmarks.Hot(p.list, now) {
		return
	}
	counts := &s.databases.deepCounts
	if counts.sampling.Add(1) > maxSamplers {
		counts.sampling.Add(-1)
		s.databases.bookmarks.Rest(p.list, now+int64(sampleRest))
		return
	}
	job := &sampler{
		db: s.who.database, key: s.who.pool.Key(), signature: s.who.signature, findings: p.findings, list: p.list,
		bookmarks: s.databases.bookmarks, timeout: cfg.SampleTimeout, began: now, counts: counts, sampled: by,
	}
	s.work(job.run)
}

// run counts the list through.
func (j *sampler) run() {
	defer j.counts.sampling.Add(-1)
	var took time.Duration
	marks, version, err := j.count(&took)
	rest := j.began + int64(max(sampleRest, restFactor*took))
	switch {
	case err != nil:
		j.counts.samples[sampleFailed].Add(1)
		j.db.log.Debug("a list could not be counted through", "database", j.key.Database, "user", j.key.User, "error", err)
	case !version.Current():
		j.counts.samples[sampleOutdated].Add(1)
	default:
		j.counts.samples[sampleDone].Add(1)
		j.bookmarks.Install(j.list, version, j.began, marks)
	}
	j.bookmarks.Rest(j.list, rest)
}

// errWriters is why nothing is counted.
var errWriters = errors.New("something is being written")

// count asks for bookmarks of the whole list, in one snapshot.
func (j *sampler) count(took *time.Duration) (marks *rewrite.Samples, version rewrite.Version, err error) {
	marks = rewrite.NewSamples(maxSampleBytes)
	err = j.db.sampler(j.key).askFor(j.timeout, func(ctx context.Context, conn *pgconn.PgConn) error {
		began := time.Now()
		defer func() { *took = time.Since(began) }()
		if version = j.version(); version == nil {
			return errWriters
		}
		if err := j.open(ctx, conn); err != nil {
			return errors.Join(err, conn.Exec(ctx, "ROLLBACK").Close())
		}
		rows := j.ask(ctx, conn, j.findings.deep.Samples(j.text, &j.paging, sampleStep))
		for rows.NextRow() {
			offerSample(marks, rows.Values())
		}
		_, err := rows.Close()
		return errors.Join(err, conn.Exec(ctx, "ROLLBACK").Close())
	})
	return marks.Pack(), version, err
}

// version is what the list depends on as it is now; nil: something is being written.
func (j *sampler) version() rewrite.Version {
	if j.list.Stable {
		return &schemaVersion{j.db, j.findings.generation}
	}
	stamp, ok := j.db.stamp(j.findings)
	if !ok {
		return nil
	}
	return &stamp
}

// open begins a transaction with the settings of the sessions.
func (j *sampler) open(ctx context.Context, conn *pgconn.PgConn) error {
	batch := &pgconn.Batch{}
	batch.ExecParams("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", nil, nil, nil, nil)
	settings := append(j.signature.settings[:len(j.signature.settings):len(j.signature.settings)],
		pool.Setting{Name: "statement_timeout", Value: strconv.FormatInt(j.timeout.Milliseconds(), 10)})
	for _, p := range settings {
		batch.ExecParams("SELECT pg_catalog.set_config($1, $2, true)", [][]byte{[]byte(p.Name), []byte(p.Value)}, nil, nil, nil)
	}
	_, err := conn.ExecBatch(ctx, batch).ReadAll()
	return err
}

func (j *sampler) ask(ctx context.Context, conn *pgconn.PgConn, sql string) *pgconn.ResultReader {
	if j.args == nil {
		return conn.ExecParams(ctx, sql, nil, nil, nil, nil)
	}
	formats := make([]int16, len(j.args.values))
	for i := range formats {
		formats[i] = int16(j.args.format(i))
	}
	return conn.ExecParams(ctx, sql, j.args.values, j.findings.deep.Params, formats, nil)
}

// offerSample makes a bookmark of a row: a value, and its rank.
func offerSample(marks *rewrite.Samples, row [][]byte) {
	rank, err := strconv.ParseInt(string(row[1]), 10, 64)
	if err == nil && len(row[0]) <= maxKeyBytes {
		marks.Offer(rewrite.Bookmark{Rank: rank, Value: rewrite.Value{Bytes: string(row[0]), Null: row[0] == nil}})
	}
}

// What becomes of counting a list through.
const (
	sampleDone = iota
	sampleOutdated
	sampleFailed
	sampleResults
)

var sampleNames = [sampleResults]string{"done", "outdated", "failed"}

// deepCounts counts what becomes of deep pages. Any number of goroutines may use it.
type deepCounts struct {
	pages    [3]atomic.Uint64 // by pageForm
	doubts   [doubtCount]atomic.Uint64
	samples  [sampleResults]atomic.Uint64
	sampling atomic.Int32 // lists that are being counted through
}
