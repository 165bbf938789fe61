package sqlparse

// parens is what is remembered of the parentheses around a token. Bit n of the
// sets is for depth n; deeper than 63 the cautious answer is given.
type parens struct {
	depth int
	// operands is the set of depths whose parentheses are closed by one behind
	// which an expression may begin: DISTINCT ON (..), OPERATOR(..), RETURNING
	// WITH (..). Behind all others only an alias or a clause can stand.
	operands uint64
	// withs is the set of depths at which the list of a WITH is being read.
	withs uint64
	// operand is set when the last one closed was in operands.
	operand bool
}

// open notes a parenthesis behind the tokens prev2 and prev.
func (p *parens) open(prev2, prev token) {
	p.depth++
	bit := p.bit()
	p.withs &^= bit
	p.operands &^= bit
	if prev == kwOperator || prev == kwWith || prev == kwOn && prev2 == kwDistinct {
		p.operands |= bit
	}
}

// close notes the end of the innermost parenthesis.
func (p *parens) close() {
	p.operand = p.depth > 63 || p.operands&p.bit() != 0
	p.depth = max(p.depth-1, 0)
}

func (p *parens) startWith()   { p.withs |= p.bit() }
func (p *parens) endWith()     { p.withs &^= p.bit() }
func (p *parens) inWith() bool { return p.withs&p.bit() != 0 }

// bit is the innermost parenthesis in the sets, 0 if it is too deep.
func (p *parens) bit() uint64 { return 1 << p.depth }

// open handles an opening parenthesis: what stands before it may be a function.
func (c *classifier) open() {
	if c.prev.isWord() && c.mode != modeNone && c.isCall() {
		c.call()
	}
	c.parens.open(c.prev2, c.prev)
}

// close handles a closing parenthesis.
func (c *classifier) close() {
	if c.config.depth == c.parens.depth {
		c.endConfig()
	}
	c.parens.close()
}

// comma handles a comma.
func (c *classifier) comma() {
	if c.config.depth == c.parens.depth {
		if c.config.commas == 0 && c.prev == tokLiteral && c.prev2 == tokOpen {
			c.config.start, c.config.end = c.literalStart, c.literalEnd
		}
		switch c.config.commas {
		case 0:
			c.config.valueAt = c.end
		case 1:
			c.config.valueEnd = c.start
		}
		c.config.commas++
	}
}
