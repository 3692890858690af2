package azure

import (
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/origins/remote"
)

func TestTargetsTellWhatIsRead(t *testing.T) {
	t.Setenv("IMAGEORIGIN_TEST_CONTAINER", "pictures")
	const store = `azure "https://mystore.blob.core.windows.net:443" "pictures" ""`
	for _, tt := range []struct {
		name string
		m    Module
		want string
	}{
		{"a container", Module{Account: "mystore", Container: "pictures"}, store},
		{"by a placeholder", Module{Account: "mystore", Container: "{env.IMAGEORIGIN_TEST_CONTAINER}"}, store},
		{"by its address", Module{Endpoint: "https://MyStore.blob.core.windows.net/", Container: "pictures"}, store},
		{"as nobody", Module{Account: "mystore", Container: "pictures", Anonymous: true}, store},
		{"with a key", Module{Account: "mystore", Container: "pictures", AccountKey: goodKey}, store},
		{"with a signature", Module{Account: "mystore", Container: "pictures", SASToken: goodSAS}, store},
		{"another account", Module{Account: "other", Container: "pictures"}, strings.Replace(store, "mystore", "other", 1)},
		{"another container", Module{Account: "mystore", Container: "photos"}, strings.Replace(store, "pictures", "photos", 1)},
		{"a folder", Module{Account: "mystore", Container: "pictures", Prefix: "large"}, strings.Replace(store, `""`, `"large/"`, 1)},
		{"an emulator", Module{Endpoint: "http://127.0.0.1:10000/imgacct", Container: "pictures", Anonymous: true}, `azure "http://127.0.0.1:10000/imgacct" "pictures" ""`},
		{"another certificate", Module{Account: "mystore", Container: "pictures", Connection: remote.Connection{TLSServerName: "azure.internal"}}, store + ` tls_server_name "azure.internal"`},
	} {
		provisioned(t, &tt.m)
		if got := tt.m.Target(); got != tt.want || tt.m.ReadsQuery() || tt.m.ForwardsHost() {
			t.Errorf("%s: got %s, query %v, host %v, want %s alone", tt.name, got, tt.m.ReadsQuery(), tt.m.ForwardsHost(), tt.want)
		}
	}
}
