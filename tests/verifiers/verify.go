// Verifies access tokens of Latchkey with go-jose v2: verify ISSUER AUDIENCE, a token per line.
//
// This is the version that Debian has. In a program of yours use github.com/go-jose/go-jose/v4, a client with a
// timeout, and fetch the keys again after two hours or when a token has an unknown kid.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"gopkg.in/square/go-jose.v2"
	"gopkg.in/square/go-jose.v2/jwt"
)

// go-jose v4 takes the algorithms as an argument of jwt.ParseSigned; v2 has no option for them.
var algorithms = map[string]bool{"RS256": true, "ES256": true, "EdDSA": true}

func fetchKeys(issuer string) (*jose.JSONWebKeySet, error) {
	response, err := http.Get(issuer + "/.well-known/jwks.json")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	var keys jose.JSONWebKeySet
	err = json.NewDecoder(response.Body).Decode(&keys)
	return &keys, err
}

func verify(text string, keys *jose.JSONWebKeySet, issuer, audience string) (*jwt.Claims, error) {
	token, err := jwt.ParseSigned(text)
	if err != nil {
		return nil, err
	}
	header := token.Headers[0]
	if !algorithms[header.Algorithm] {
		return nil, errors.New("algorithm not allowed")
	}
	if header.ExtraHeaders[jose.HeaderType] != "at+jwt" {
		return nil, errors.New("not an access token")
	}
	// Finds the key by its kid and verifies the signature.
	var claims jwt.Claims
	if err := token.Claims(keys, &claims); err != nil {
		return nil, err
	}
	if claims.Expiry == nil {
		return nil, errors.New("no expiry")
	}
	expected := jwt.Expected{Issuer: issuer, Audience: jwt.Audience{audience}, Time: time.Now()}
	return &claims, claims.ValidateWithLeeway(expected, 0)
}

func main() {
	issuer, audience := os.Args[1], os.Args[2]
	keys, err := fetchKeys(issuer)
	if err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		claims, err := verify(lines.Text(), keys, issuer, audience)
		if err != nil {
			fmt.Println("refused")
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		fmt.Println("accepted", claims.Subject)
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
