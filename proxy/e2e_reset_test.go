package proxy_test

import (
	"testing"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// RESET goes back to what the client's start-up packet said, also where it is not seen.
func TestResetInCode(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size, c.Pool.Overflow = 2, 0 })
	if err := observer(t, backend).Exec(`create or replace function resets() returns void language plpgsql as $$ begin reset work_mem; end $$;
		create or replace function resets_all() returns void language plpgsql as $$ begin execute 'reset all'; end $$`); err != nil {
		t.Fatal(err)
	}
	const see = "; perform set_config('app.seen', current_setting('work_mem'), false); end $$"
	for name, tt := range map[string]struct{ texts []string }{
		"DO":                   {[]string{"do $$ begin reset work_mem; end $$", "show work_mem"}},
		"DO that sets first":   {[]string{"set work_mem = '6MB'", "do $$ begin set work_mem = '5MB'; reset work_mem; end $$", "show work_mem"}},
		"DO that reads":        {[]string{"do $$ begin reset work_mem" + see, "show app.seen"}},
		"DO to the default":    {[]string{"set work_mem = '6MB'", "do $$ begin set work_mem to default" + see, "show app.seen"}},
		"function":             {[]string{"select resets()", "show work_mem"}},
		"function of all":      {[]string{"set work_mem = '6MB'", "select resets_all()", "show work_mem"}},
		"function, trusted":    {[]string{"select resets()", "select resets()", "select resets()", "show work_mem"}},
		"EXECUTE":              {[]string{"execute back", "show work_mem"}},
		"EXECUTE after a SET":  {[]string{"set work_mem = '6MB'", "execute back", "show work_mem"}},
		"EXECUTE, rolled back": {[]string{"begin", "execute back", "rollback", "show work_mem"}},
	} {
		for address, through := range map[string]string{"directly": backend, "through the proxy": p.addr} {
			t.Run(name+" "+address, func(t *testing.T) {
				c := client(t, through, "work_mem", "7MB")
				defer c.Close()
				if err := c.Send(pgtest.Parse("back", "reset work_mem"), pgtest.Sync); err != nil {
					t.Fatal(err)
				}
				expect(t, c, "1", "Z I")
				// All at once: nothing may get in between.
				for _, text := range tt.texts {
					if err := c.Send(pgtest.Query(text)); err != nil {
						t.Fatal(err)
					}
				}
				for i, text := range tt.texts {
					frames, err := c.ReceiveUntil('Z')
					if err != nil {
						t.Fatal(err)
					}
					if i == len(tt.texts)-1 && frames[1].String() != "D 7MB" {
						t.Errorf("%s: %v", text, frames)
					}
				}
			})
		}
	}
}
