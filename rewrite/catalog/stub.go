package catalog

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

type Change uint8
type Keeper struct {
	s       *Snapshot
	connect func(ctx context.Context) (*pgconn.PgConn, error)
}

func NewKeeper(connect func(ctx context.Context) (*pgconn.PgConn, error), poll time.Duration, changed func(Change)) *Keeper {
	return &Keeper{connect: connect}
}
func (k *Keeper) Snapshot() (*Snapshot, uint64) { return k.s, 1 }
func (k *Keeper) Refresh() uint64 {
	go func() {
		c, err := k.connect(context.Background())
		if err != nil {
			panic(err)
		}
		k.s, err = Load(context.Background(), c)
		if err != nil {
			panic(err)
		}
		c.Close(context.Background())
	}()
	return 1
}
func (k *Keeper) Close() {}
