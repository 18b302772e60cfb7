package main

import (
	"errors"
	"net/url"
	"path/filepath"
	"strings"
)

// address returns the database to use: the flag, the environment, or a file in the user's data directory.
func (env *environment) address() (string, error) {
	if env.database != "" {
		return checked(env.database)
	}
	if given := env.getenv("LINCHPIN_DATABASE"); given != "" {
		return checked(given)
	}
	data := env.getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(data) { // as the XDG Base Directory Specification says
		home := env.getenv("HOME")
		if home == "" {
			return "", errors.New("neither --database nor HOME is set: say where the database is, such as --database sqlite:linchpin.db")
		}
		data = filepath.Join(home, ".local", "share")
	}
	return "sqlite:" + filepath.Join(data, "linchpin", "linchpin.db"), nil
}

// checked refuses an address whose password nobody could find to leave it out of messages, and moves a password
// among the parameters to where everyone looks for it.
func checked(address string) (string, error) {
	if !strings.HasPrefix(address, "postgres") {
		return address, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("the database address is not a URL: it is postgres://USER:PASSWORD@HOST/NAME, where special characters of the password are written as %XX")
	}
	parameters := u.Query()
	password := parameters.Get("password")
	if password == "" {
		return address, nil
	}
	name := u.User.Username()
	if name == "" {
		name = parameters.Get("user")
	}
	parameters.Del("password")
	u.User, u.RawQuery = url.UserPassword(name, password), parameters.Encode()
	return u.String(), nil
}
