package pool

// fifo is a queue. The zero value is empty and holds no memory.
type fifo[T any] struct {
	items []T
	first int // those before it have been popped
}

// maxSpare is how many places an empty queue keeps.
const maxSpare = 64

func (q *fifo[T]) len() int { return len(q.items) - q.first }

// peek returns the oldest item; there must be one.
func (q *fifo[T]) peek() *T { return &q.items[q.first] }

func (q *fifo[T]) push(item T) {
	if q.first > maxSpare && q.first > len(q.items)/2 {
		n := copy(q.items, q.items[q.first:])
		clear(q.items[n:])
		q.items, q.first = q.items[:n], 0
	}
	q.items = append(q.items, item)
}

// pop takes the oldest item out; there must be one.
func (q *fifo[T]) pop() T {
	var none T
	item := q.items[q.first]
	q.items[q.first] = none
	q.first++
	if q.first == len(q.items) {
		q.items, q.first = q.items[:0], 0
		if cap(q.items) > maxSpare {
			q.items = nil
		}
	}
	return item
}
