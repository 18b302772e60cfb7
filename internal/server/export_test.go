package server

import "time"

// Hasten makes the streams of a server wait for less.
func (c *Config) Hasten(init, ping, pong, write, alive time.Duration) {
	c.pace = pace{init, ping, pong, write, alive}
}
