package proxy_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// heapWatch samples the heap of this process, in which the proxy runs.
type heapWatch struct {
	base     uint64
	resident uint64
	stop     chan struct{}
	most     chan uint64
}

func watchHeap() *heapWatch {
	w := &heapWatch{base: heap(), stop: make(chan struct{}), most: make(chan uint64)}
	peakResident() // forget what was before
	w.resident = peakResident()
	go func() {
		most := uint64(0)
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			case <-w.stop:
				tick.Stop()
				w.most <- most
				return
			}
		}
	}()
	return w
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// mustStayWithin fails the test if the heap has grown by more than limit.
func (w *heapWatch) mustStayWithin(t testing.TB, limit uint64) {
	t.Helper()
	close(w.stop)
	if most := <-w.most; most > w.base+limit {
		t.Errorf("the heap grew from %d to %d KiB", w.base>>10, most>>10)
	}
	if most := peakResident(); most > w.resident+residentLimit {
		t.Errorf("the process grew from %d to %d KiB", w.resident>>10, most>>10)
	}
}

// residentLimit is what it may cost as the operating system counts: the heap
// may be twice as large before it is collected.
const residentLimit = 64 << 20

var peak = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakResident returns the most memory that this process has had resident since
// the last call, and 0 where nothing says so.
func peakResident() uint64 {
	status, _ := os.ReadFile("/proc/self/status")
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // from here on it is counted anew
	kilobytes := peak.FindSubmatch(status)
	if kilobytes == nil {
		return 0
	}
	n, _ := strconv.ParseUint(string(kilobytes[1]), 10, 64)
	return n << 10
}

// heapLimit is what a stream may cost, however long it is: a few buffers, and
// the garbage of the test itself.
const heapLimit = 16 << 20

// soak asks for the sizes that take their time.
var soak = os.Getenv("PGJAY_SOAK") != ""

// bulk is how many bytes a long stream has: 1 GB where there is time for it.
func bulk() int64 {
	if soak {
		return 1 << 30
	}
	return 256 << 20
}

func TestCopyOutInBoundedMemory(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	c := client(t, p.addr)
	const row = 1 + 4 + 1001
	rows := bulk() / row
	w := watchHeap()
	if err := c.Send(pgtest.Query(fmt.Sprintf("copy (select repeat('x', 1000) from generate_series(1, %d)) to stdout", rows))); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "H text 1")
	if err := c.Discard(rows * row); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "c", fmt.Sprintf("C COPY %d", rows), "Z I")
	w.mustStayWithin(t, heapLimit)
}

// beginCopyIn returns a client whose copy data PostgreSQL reads and drops.
func beginCopyIn(t *testing.T) *pgtest.Conn {
	t.Helper()
	backend := plain(t)
	if err := observer(t, backend).Exec(pgtest.Fixture); err != nil {
		t.Fatal(err)
	}
	c := client(t, startProxy(t, backend, nil).addr)
	if err := c.Send(pgtest.Query("copy wire.sink (name) from stdin where id = 1")); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "G text 1")
	return c
}

func TestCopyInInBoundedMemory(t *testing.T) {
	c := beginCopyIn(t)
	w := watchHeap()
	piece, err := pgtest.CopyData(strings.Repeat(strings.Repeat("y", 1023)+"\n", 64)).Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	for sent := int64(0); sent < bulk(); sent += int64(len(piece)) {
		if err := c.Net.SetWriteDeadline(time.Now().Add(pgtest.Patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Net.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Send(pgtest.CopyDone); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "C COPY 0", "Z I")
	w.mustStayWithin(t, heapLimit)
}

// One message of copy data may be as long as the client likes.
func TestHugeCopyDataInBoundedMemory(t *testing.T) {
	c := beginCopyIn(t)
	size := bulk() / 4
	w := watchHeap()
	line := []byte(strings.Repeat("h", 64<<10-1) + "\n") // not a string: each write would copy it
	if err := c.Net.SetWriteDeadline(time.Now().Add(10 * pgtest.Patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Net.Write(binary.BigEndian.AppendUint32([]byte{'d'}, uint32(4+size))); err != nil {
		t.Fatal(err)
	}
	for range size / int64(len(line)) {
		if _, err := c.Net.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Send(pgtest.CopyDone); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "C COPY 0", "Z I")
	w.mustStayWithin(t, heapLimit)
}

// One row may be as long as PostgreSQL allows.
func TestHugeRowInBoundedMemory(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	c := client(t, p.addr)
	size := bulk() / 4
	if soak {
		size = 1_000_000_000 // PostgreSQL's limit for a message is 1 GB
	}
	w := watchHeap()
	if err := c.Send(pgtest.Query(fmt.Sprintf("select repeat('z', %d)", size))); err != nil {
		t.Fatal(err)
	}
	if f, err := c.ReceiveWithin(10 * pgtest.Patience); err != nil || f.Type != 'T' { // PostgreSQL makes the row first
		t.Fatalf("got %s, %v", f, err)
	}
	if err := c.Discard(1 + 4 + 2 + 4 + size); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "C SELECT 1", "Z I")
	w.mustStayWithin(t, heapLimit)
}

// A client that does not read stops its backend, and costs a few buffers.
func TestReaderThatDoesNotRead(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size = 2 })
	slow, other := client(t, p.addr), client(t, p.addr)
	const row, rows = 1 + 4 + 2 + 4 + 1000, 50_000
	w := watchHeap()
	if err := slow.Send(pgtest.Query(fmt.Sprintf("select repeat('s', 1000) from generate_series(1, %d) /* slow reader */", rows))); err != nil {
		t.Fatal(err)
	}
	if err := admin.Await("select count(*) = 1 from pg_stat_activity where wait_event = 'ClientWrite' and query like '%/* slow reader */'"); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if got := value(t, other, "select 1"); got != "1" {
			t.Fatalf("the other client gets %q", got)
		}
	}
	expect(t, slow, "T *")
	for range 2000 { // byte by byte the stream is the same
		if err := slow.Discard(1); err != nil {
			t.Fatal(err)
		}
	}
	if err := slow.Discard(row*rows - 2000); err != nil {
		t.Fatal(err)
	}
	expect(t, slow, fmt.Sprintf("C SELECT %d", rows), "Z I")
	w.mustStayWithin(t, heapLimit)
}

// A backend that does not read stops its client, and costs a few buffers.
func TestBackendThatDoesNotRead(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	if err := admin.Exec(pgtest.Fixture + `
		create function wire.wait() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(815); return null; end $$;
		create trigger wait before insert on wire.sink for each row execute function wire.wait();
		select pg_advisory_lock(815)`); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size = 2 })
	c, other := client(t, p.addr), client(t, p.addr)
	if err := c.Send(pgtest.Query("copy wire.sink (name) from stdin")); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "G text 1")
	w := watchHeap()
	written := make(chan error, 1)
	go func() { written <- sendRows(c, 1024) }()
	if err := admin.Await("select count(*) = 1 from pg_locks where locktype = 'advisory' and objid = 815 and not granted"); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if got := value(t, other, "select 1"); got != "1" {
			t.Fatalf("the other client gets %q", got)
		}
	}
	select {
	case err := <-written: // the sockets between them hold some megabytes
		t.Fatalf("64 MB are sent although PostgreSQL reads nothing: %v", err)
	default:
	}
	if err := admin.Exec("select pg_advisory_unlock(815)"); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	expect(t, c, "C COPY 0", "Z I")
	w.mustStayWithin(t, heapLimit)
}

// sendRows sends pieces of 64 KB and CopyDone.
func sendRows(c *pgtest.Conn, pieces int) error {
	piece, err := pgtest.CopyData(strings.Repeat(strings.Repeat("y", 65535)+"\n", 1)).Encode(nil)
	if err != nil {
		return err
	}
	if err := c.Net.SetWriteDeadline(time.Now().Add(pgtest.Patience)); err != nil {
		return err
	}
	for range pieces {
		if _, err := c.Net.Write(piece); err != nil {
			return err
		}
	}
	return c.Send(pgtest.CopyDone)
}
