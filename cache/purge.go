package cache

import "maps"

// Space returns the words of a database, which are made when they are first asked
// for and stay as long as the cache. The name says which database of which cluster
// it is: a database that has been made anew needs another, and so has a cluster
// that has been restored or failed over, as writes may have vanished there.
func (c *Cache) Space(name string) *Space {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.spaces[name]
	if s == nil {
		s = new(Space)
		c.spaces[name] = s
	}
	return s
}

// Tag returns the word of a tag, which is made when it is first asked for. An
// answer has the tag if its stamp has the word.
func (c *Cache) Tag(name string) *Word {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.tags[name]
	if w == nil {
		w = new(Word)
		c.tags[name] = w
	}
	return w
}

// PurgeTag forgets the answers that have this tag, also those whose queries are
// under way. To purge a table, call Bump of its word.
func (c *Cache) PurgeTag(name string) { c.Tag(name).Bump() }

// PurgeAll forgets everything, also the answers whose queries are under way.
func (c *Cache) PurgeAll() {
	c.mu.Lock()
	for s := range maps.Values(c.spaces) {
		s.Global.Bump()
	}
	c.mu.Unlock()
	c.closing.Lock()
	defer c.closing.Unlock()
	if !c.closed {
		c.store.Clear() // for the memory: nothing of it would be served
	}
}
