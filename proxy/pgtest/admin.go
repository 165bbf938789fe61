package pgtest

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Admin is a connection straight to PostgreSQL by which a test prepares the
// ground and looks on.
type Admin struct {
	Address string
	conn    *Conn
}

// NewAdmin connects to PostgreSQL.
func NewAdmin(address, user, database string) (*Admin, error) {
	c, err := Dial(address, "admin", nil)
	if err != nil {
		return nil, err
	}
	err = c.Start(pgproto3.ProtocolVersion30, "user", user, "database", database, "application_name", "pgtest admin")
	if err != nil {
		c.Close()
		return nil, err
	}
	return &Admin{Address: address, conn: c}, nil
}

// Exec runs statements and returns the first error.
func (a *Admin) Exec(sql string) error {
	_, err := a.query(sql)
	return err
}

// Ask returns the first column of the first row; NULL and no row are "".
func (a *Admin) Ask(sql string) (string, error) {
	frames, err := a.query(sql)
	if err != nil {
		return "", err
	}
	for _, f := range frames {
		var row pgproto3.DataRow
		if f.Type == 'D' && row.Decode(f.Body) == nil && len(row.Values) > 0 {
			return string(row.Values[0]), nil
		}
	}
	return "", nil
}

func (a *Admin) query(sql string) ([]Frame, error) {
	frames, err := a.conn.Query(sql)
	if err != nil {
		return nil, err
	}
	for _, f := range frames {
		if f.Type == 'E' {
			return nil, fmt.Errorf("%s: %s", shorten(sql), f)
		}
	}
	return frames, nil
}

// Await polls until a query returns true.
func (a *Admin) Await(sql string) error {
	for deadline := time.Now().Add(Patience); ; {
		got, err := a.Ask(sql)
		if err != nil || got == "t" {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: still %q", sql, got)
		}
		time.Sleep(2 * time.Millisecond) // the interval of the poll, not a wait for anything
	}
}

// Close ends the connection.
func (a *Admin) Close() {
	_ = a.conn.Send(Terminate)
	a.conn.Close()
}
