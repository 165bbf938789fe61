//go:build linux

package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// memory measures what an idle client costs: the size of a fresh proxy with
// one client and with many.
func (b *bench) memory() error {
	if err := b.startProxies(); err != nil {
		return err
	}
	fmt.Printf("\nmemory of the proxy (Pss) with %d idle clients\n", b.options.idle)
	for _, s := range b.proxies {
		before := s.memory()
		clients, err := openIdle(s.port, b.options.idle)
		if err == nil {
			settle(s)
			after := s.memory()
			fmt.Printf("%-10s %7.1f MiB -> %7.1f MiB: %6.0f bytes a client\n",
				s.name, before/(1<<20), after/(1<<20), (after-before)/float64(b.options.idle))
		}
		for _, c := range clients {
			err = errors.Join(err, c.Close())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	fmt.Println("To reach: <= 4096 bytes a client")
	return nil
}

// settle waits until the process has stopped shrinking or growing.
func settle(s *server) {
	last := s.memory()
	for range 20 {
		time.Sleep(500 * time.Millisecond)
		now := s.memory()
		if diff := now - last; diff > -64<<10 && diff < 64<<10 {
			return
		}
		last = now
	}
}

func openIdle(port, count int) (clients []net.Conn, err error) {
	for range count {
		c, err := login(port)
		if err != nil {
			return clients, err
		}
		clients = append(clients, c)
	}
	return clients, nil
}

// login connects and goes through a login without a password.
func login(port int) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), 10*time.Second)
	if err != nil {
		return nil, err
	}
	if err := startup(c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func startup(c net.Conn) error {
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := c.Write(pgtest.Startup(pgproto3.ProtocolVersion30, "user", databaseUser, "database", "postgres")); err != nil {
		return err
	}
	r := bufio.NewReaderSize(c, 1<<10)
	for {
		var header [5]byte
		if _, err := io.ReadFull(r, header[:]); err != nil {
			return err
		}
		body := make([]byte, binary.BigEndian.Uint32(header[1:])-4)
		if _, err := io.ReadFull(r, body); err != nil {
			return err
		}
		switch header[0] {
		case 'Z':
			return c.SetDeadline(time.Time{})
		case 'E':
			return fmt.Errorf("start-up: %s", pgtest.Frame{Type: 'E', Body: body})
		}
	}
}
