// How a provider written in Go meets trouble that a Carillon push service makes on purpose. Only the standard
// library is used. Run with `go test` and the variables below, which stand in endpoints.json:
// ADMIN_URL, ADMIN_KEY_FILE, CA_FILE, PUSH_URL, and KEY_FILE, KEY_ID, TEAM_ID, TOPIC, DEVICE_TOKEN.
package faults

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// newClient speaks HTTP/2 and trusts the root certificate of the system.
func newClient(t *testing.T) *http.Client {
	t.Helper()
	root, err := os.ReadFile(os.Getenv("CA_FILE"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

// setFaults replaces the rules of the service, and clears them when the test is over.
func setFaults(t *testing.T, client *http.Client, plan string) {
	t.Helper()
	key, err := os.ReadFile(os.Getenv("ADMIN_KEY_FILE"))
	if err != nil {
		t.Fatal(err)
	}
	call := func(method, body string) {
		request, _ := http.NewRequest(method, os.Getenv("ADMIN_URL")+"/v1/faults", strings.NewReader(body))
		request.Header.Set("authorization", "Bearer "+strings.TrimSpace(string(key)))
		request.Header.Set("content-type", "application/json")
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode >= 300 {
			problem, _ := io.ReadAll(response.Body)
			t.Fatalf("%s: %s", response.Status, problem)
		}
	}
	call(http.MethodPut, plan)
	t.Cleanup(func() { call(http.MethodDelete, "") })
}

// providerToken is the JWT of the auth key. The signature may be in DER, which is what Go makes.
func providerToken(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(os.Getenv("KEY_FILE"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	header := fmt.Sprintf(`{"alg":"ES256","kid":"%s"}`, os.Getenv("KEY_ID"))
	claims := fmt.Sprintf(`{"iss":"%s","iat":%d}`, os.Getenv("TEAM_ID"), time.Now().Unix())
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	digest := sha256.Sum256([]byte(signed))
	signature, err := ecdsa.SignASN1(rand.Reader, key.(*ecdsa.PrivateKey), digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

// push sends once and gives the status; the wait is what retry-after asks for.
func push(client *http.Client, token string) (status int, wait time.Duration, err error) {
	body := bytes.NewReader([]byte(`{"aps":{"alert":"Hello"}}`))
	url := os.Getenv("PUSH_URL") + "/3/device/" + os.Getenv("DEVICE_TOKEN")
	request, err := http.NewRequest(http.MethodPost, url, body)
	if err != nil {
		return 0, 0, err
	}
	request.Header.Set("authorization", "bearer "+token)
	request.Header.Set("apns-topic", os.Getenv("TOPIC"))
	request.Header.Set("apns-push-type", "alert")
	response, err := client.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body)
	seconds, _ := strconv.Atoi(response.Header.Get("retry-after"))
	return response.StatusCode, time.Duration(seconds) * time.Second, nil
}

// A burst of 503: whoever waits as long as it is told gets through.
func TestWaitsAsLongAsRetryAfterSays(t *testing.T) {
	client, token := newClient(t), providerToken(t)
	setFaults(t, client, `{"rules":[{
		"id": "busy",
		"match": { "times": 2 },
		"fault": { "kind": "answer", "reason": "ServiceUnavailable", "retryAfter": 1 }
	}]}`)
	for attempt := 1; ; attempt++ {
		status, wait, err := push(client, token)
		if err != nil {
			t.Fatal(err)
		}
		if status == http.StatusOK {
			if attempt != 3 {
				t.Fatalf("accepted at attempt %d", attempt)
			}
			return
		}
		time.Sleep(wait)
	}
}

// GOAWAY after every five requests: net/http moves to a new connection and nothing is lost.
func TestSurvivesGoaway(t *testing.T) {
	client, token := newClient(t), providerToken(t)
	setFaults(t, client, `{"rules":[{
		"id": "away",
		"match": { "after": 5, "perConnection": true },
		"fault": { "kind": "goaway", "reason": "Shutdown" }
	}]}`)
	for index := 0; index < 20; index++ {
		status, _, err := push(client, token)
		if err != nil || status != http.StatusOK {
			t.Fatalf("push %d: %d %v", index, status, err)
		}
	}
}
