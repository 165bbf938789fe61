package plan

import "fmt"

func diskSort(f *finder) {
	for n := range f.Nodes() {
		if n.SortType == "Disk" || n.SortMethod == "external merge" || n.SortMethod == "external sort" {
			f.add(n, graded(f.share(n), -1, f.ShareLow, f.ShareMedium), n.Exclusive,
				fmt.Sprintf("%.1f MB were sorted on disk", n.SortSpace/1024), "raise work_mem, an index in this order, or fewer columns")
		}
	}
}

func hashBatches(f *finder) {
	for n := range f.Nodes() {
		if n.HashBatches > 1 {
			f.add(n, graded(n.HashBatches, 1, 8, 64), n.Exclusive, fmt.Sprintf("the hash table had no room and was cut into %.0f parts", n.HashBatches), "raise work_mem or hash_mem_multiplier")
		}
	}
}

func aggregateSpill(f *finder) {
	for n := range f.Nodes() {
		if n.Type == "Aggregate" && (n.AggBatches > 1 || n.DiskUsage > 0) {
			f.add(n, Medium, n.Exclusive, fmt.Sprintf("the groups had no room: %.0f parts, %.1f MB on disk", n.AggBatches, n.DiskUsage/1024), "raise work_mem or hash_mem_multiplier")
		}
	}
}

// temporaryFiles adds up what nothing above it has written.
func temporaryFiles(f *finder) {
	const blocksPerMB = 128
	if mb := f.Root.TempWritten / blocksPerMB; mb >= f.TempMB {
		f.add(nil, graded(mb, 0, 10*f.TempMB, 100*f.TempMB), 0, fmt.Sprintf("%.0f MB were written to temporary files", mb), "raise work_mem for this statement or user")
	}
}
