import json
CANARY = "canary-d00d-77"

def test_explore(running):
    with running() as app:
        org = app.organization
        base = {"projectId": "shop", "userId": "u", "organizationId": org, "projectName": "S"}
        out = []
        def t(method, path, body=None, raw=False):
            a = app.request(method, path, body)
            text = a.body.decode(errors="replace")[:900]
            assert CANARY not in a.body.decode(errors="replace"), (method, path)
            print(f"\n### {method} {path[:150]} {str(body)[:150]!r}\n{a.status} {text}")
            out.append((path, a.status))
        hash_ = app.upload("shop", {"app.py": "raise SystemExit(1)"})
        for bad in [None, [], "x", 5, {}, {**base, "projectId": 5}, {**base, "projectId": "../x"}, {**base, "projectId": "a/b"}, {**base, "organizationId": ".."}, {**base, "environment": "prod"},
                    {**base, "branch": "--upload-pack"}, {**base, "commitSha": "abc"}, {**base, "customDomain": "not a host"}, {**base, "customDomain": "localhost"}, {**base, "buildCommand": "make && x"}, {**base, "buildCommand": "'unclosed"}, {**base, "startCommand": ""},
                    {**base, "buildCommand": "curl $(cat /etc/passwd)"},
                    {**base, "containerSize": {"cpu": "9", "memory": "1Gi"}}, {**base, "containerSize": {"cpu": 1, "memory": "2Gi"}}, {**base, "containerSize": "big"},
                    {**base, "envVariables": {"A-B": CANARY}}, {**base, "envVariables": {"A": 5}}, {**base, "envVariables": {"A": CANARY * 2000}}, {**base, "envVariables": {f"A{i}": CANARY for i in range(101)}}, {**base, "envVariables": [CANARY]}, {**base, "envVariables": {"A": {"b": CANARY}}},
                    {**base, "envVariables": {CANARY + " x": "v"}}, {**base, CANARY: 1}, {**base, "env_variables": {"A": CANARY}},
                    {**base, "sourceHash": "zz"}, {**base, "sourceHash": "f" * 64}, {**base, "sourceHash": hash_, "gitUrl": "https://github.com/a/b"}, {**base, "gitUrl": "x" * 600}, {**base, "gitUrl": 5},
                    {**base, "projectName": " "}, {**base, "projectName": "x" * 500}, {**base, "userId": ""}, {**base, "templateType": "a b"},
                    {**base, "envVariables": {"LD_PRELOAD": "x", "PATH": "/evil"}, "sourceHash": "0" * 64}]:
            t("POST", "/deploy", bad)
        t("POST", "/deploy", b"{not json")
        t("POST", "/deploy", b"\xff\xfe")
        t("POST", "/deploy", b"[" * 100000)
        t("POST", "/deploy", b'{"a": ' + b"1" * 5000 + b"}")
        for bad in [{}, {"projectId": "x", "orgId": org}, {"projectId": "nope", "orgId": org, "userId": "u"}, {"projectId": "shop", "orgId": "../..", "userId": "u"}, {"projectId": "shop", "orgId": org, "userId": "u", "customDomain": "-"}, {"projectId": "shop", "orgId": org, "userId": "u", "envVariables": {"A": CANARY}}]:
            t("POST", "/api/deploy", bad)
        for path in ["/deploy/dep_AAAAAAAAAAAA/status", "/deploy/..%2F..%2Fetc/status", "/deploy/../status", "/deploy/%00/status", "/deploy/dep_A'; DROP/status", "/deploy/" + "x" * 3000 + "/status", "/deploy/project%3Ashop/status", "/deploy/é/status"]:
            t("GET", path.replace(" ", "%20").replace("é", "%C3%A9"))
        app_ok = app.deploy("shop", "one")
        found = app.wait(app_ok)
        for q in ["after=-1", "after=x", "after=99999999999999999999999", "after=1e5", "limit=0", "limit=99999999", "foo=1", "after=1&after=2", "after=", "after=999999", "after=3"]:
            t("GET", f"/deploy/{app_ok}/logs?{q}")
        t("POST", f"/deploy/{app_ok}/cancel"); t("POST", f"/deploy/{app_ok}/retry")
        running_ = app.deploy("slow", "one", build_seconds=20)
        app.until(running_, lambda f: f["status"] == "building_image")
        t("POST", f"/deploy/{running_}/retry"); t("POST", "/api/deploy", {"projectId": "slow", "orgId": org, "userId": "u"})
        t("POST", f"/deploy/{running_}/cancel"); app.wait(running_); t("POST", f"/deploy/{running_}/cancel"); t("POST", f"/deploy/{running_}/retry")
        for q in ["", "?organizationId=", "?organizationId=..", f"?organizationId={org}&limit=0", f"?organizationId={org}&limit=x", f"?organizationId={org}&cursor=zzz", f"?organizationId={org}&limit=1"]:
            t("GET", f"/deploy/project/shop{q}")
        for p in [f"/status/deployments/{org}?status=nope", f"/status/deployments/{org}?cursor=%7B%22a%22%3A1%7D", "/status/deployments/..", "/status/deployments/%2e%2e%2f", f"/status/deployments/nobody"]:
            t("GET", p)
        for p, b in [(f"/deploy/project/shop/source?organizationId={org}", b"not a zip"), (f"/deploy/project/shop/source?organizationId={org}", b""), (f"/deploy/project/shop/source", b"PK\x03\x04"), (f"/deploy/project/..%2Fx/source?organizationId={org}", b"PK\x03\x04"), (f"/deploy/project/shop/source?organizationId={org}", b"PK\x03\x04" + b"0" * 51_000_000), (f"/deploy/project/shop/source?organizationId={org}", b"PK\x03\x04" + b"0" * 120_000_000)]:
            t("PUT", p, b)
        for b in [{}, {"sourceHash": "../x"}, {"sourceHash": "A" * 64}, {"sourceHash": "a" * 64, "x": 1}]:
            t("POST", f"/deploy/project/shop/source/upload-url?organizationId={org}", b)
        t("DELETE", f"/deploy/{app_ok}"); t("GET", f"/deploy/{app_ok}/cancel"); t("POST", f"/deploy/{app_ok}/status"); t("GET", "/deploy"); t("GET", "/status/queue"); t("GET", "/status")
        import urllib.request
        for h in [{}, {"X-Admin-Key": "wrong"}, {"X-API-Key": "x"}, {"X-API-Key": "é".encode().decode("latin-1")}]:
            a = app.host.request("GET", f"/deploy/{app_ok}/status", headers=h); print(h, a.status, a.body[:400])
        # a real app that logs its variables, in every place
        app_env = app.deploy("leaky", None, envVariables={"API_KEY": CANARY, "MULTI": f"{CANARY}\nline2-{CANARY}"})
        app.wait(app_env)
        for p in ("status", "logs"):
            t("GET", f"/deploy/{app_env}/{p}")
        print("\n".join(line for line in app.host.output if CANARY in line)[:2000])
        assert not any(CANARY in line for line in app.host.output)
        inst = app.host.request("GET", f"/runtime/webhooks/durabletask/instances/{app_env}?showHistory=true&showHistoryOutput=true&showInput=true")
        assert CANARY not in inst.body.decode()
        print([l for l in app.host.output if "rror" in l][:20])
