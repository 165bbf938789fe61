// Command simulator will run the CRM's workload: seed a database, and compare
// answers and speed through PgJay with those of PostgreSQL itself. It is empty
// until that is built.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "simulator: nothing to simulate yet")
	os.Exit(2)
}
