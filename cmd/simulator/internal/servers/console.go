package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrUnknown is returned of what this PgJay does not have.
var ErrUnknown = errors.New("this PgJay does not know it")

// Show asks the console, and returns the rows by the names of their columns.
func (p *PgJay) Show(ctx context.Context, command string) ([]map[string]any, error) {
	conn, err := pgx.Connect(ctx, p.console)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, _ := conn.Query(ctx, command, pgx.QueryExecModeSimpleProtocol) // its error is in rows, too
	shown, err := pgx.CollectRows(rows, pgx.RowToMap)
	const syntaxError = "42601" // the console does not know the command
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == syntaxError {
		return nil, fmt.Errorf("%s: %w (%s)", command, ErrUnknown, refused.Message)
	}
	return shown, err
}

// Get asks the admin address, with gzip if that is asked for, and returns the body
// as it came and whether it is compressed.
func (p *PgJay) Get(ctx context.Context, path string, compressed bool) (body []byte, gzipped bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Admin+path, nil)
	if err != nil {
		return nil, false, err
	}
	encoding := "identity"
	if compressed {
		encoding = "gzip" // given by us, the client leaves the body as it is
	}
	request.Header.Set("Accept-Encoding", encoding)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, false, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return nil, false, fmt.Errorf("%s: %w", path, ErrUnknown)
	}
	if response.StatusCode != http.StatusOK {
		return nil, false, fmt.Errorf("%s: %s", path, response.Status)
	}
	body, err = io.ReadAll(response.Body)
	return body, response.Header.Get("Content-Encoding") == "gzip", err
}
