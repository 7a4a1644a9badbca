// Package relay is the Server's part of the production picture: an http.Handler
// between an app and the AimBrain API.
package relay
