package server

import "time"

// pace holds how long streams wait.
type pace struct {
	init  time.Duration // for connection_init
	ping  time.Duration // between pings of the server
	pong  time.Duration // for the answer to a ping
	write time.Duration // until a message is taken
	alive time.Duration // between comments on an event stream
}

var steady = pace{init: 5 * time.Second, ping: 30 * time.Second, pong: 10 * time.Second, write: 30 * time.Second, alive: 12 * time.Second}
