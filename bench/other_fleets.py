"""Fleets that nothing was fitted on: other languages, other sizes, other faults. A plug-in of the history generator.

    python bench/attribution_lab.py make --plugin bench/other_fleets.py --families elsewhere --vocabulary each ...

Six vocabularies (Go, Java, Ruby, .NET, Rust, PHP; 6 to 14 services), messages as their runtimes, drivers and protocols
word them, and sixteen ways to fail that the public families do not have. Never part of a fit: what is learned from them
would no longer be measured by them.
"""

from __future__ import annotations

from typing import Any

from scenarios import HOUR, MIN, POOL_VOCABULARY, VOCABULARIES, World, family

POOL = "elsewhere"
Pairs = list[tuple[str, str]]


def _vocabulary(
    services: str,
    ext: str,
    roots: list[str],
    vendor: list[str],
    areas: str,
    modules: str,
    functions: str,
    **said: Pairs,
) -> dict[str, Any]:  # Any: the generator's own shape
    tiers = {"e": "edge", "m": "mid", "w": "worker", "b": "back"}
    return {
        "services": [(part[2:], tiers[part[0]]) for part in services.split()],
        "ext": ext, "roots": roots, "vendor": vendor, "areas": areas.split(), "modules": modules.split(),
        "functions": functions.split(), "words": ["plan", "seat", "invoice", "basket", "zone", "batch", "ticket", "reading", "grant", "shelf"],
        "hosts": ["api.cardgate.example", "sms.relaytel.example", "maps.tileworks.example", "login.keyhouse.example"],
        **said,
    }  # fmt: skip


VOCABULARIES["go"] = _vocabulary(
    "e:web e:api e:partner-api m:orders m:users m:stock m:search m:quotes m:media w:notifier w:indexer w:exporter b:vault b:events",
    ".go", ["/go/src/github.example/acme/", "/build/", ""],
    ["/usr/local/go/src/net/http/server.go", "/go/pkg/mod/google.golang.org/grpc@v1.64.0/server.go", "/usr/local/go/src/database/sql/sql.go"],
    "order user stock search quote media auth", "handler store client worker cache router model", "ServeHTTP Get Put Process Handle run Decode",
    bug=[("runtime.boundsError", "runtime error: index out of range [{n}] with length 3"), ("runtime.errorString", "runtime error: invalid memory address or nil pointer dereference"),
         ("*errors.errorString", "{w}: unexpected state {n}"), ("*strconv.NumError", 'strconv.Atoi: parsing "{w}{n}": invalid syntax'), ("*fmt.wrapError", "load {w} {n}: not found")],
    chronic=[("*net.OpError", "read tcp 10.0.3.{n}: read: connection reset by peer"), ("*url.Error", 'Get "http://{peer}.svc.cluster.local/v1/{n}": context canceled'),
             ("*pq.Error", "pq: duplicate key value violates unique constraint {n}"), ("*json.SyntaxError", "invalid character at offset {n}"), ("*errors.errorString", "token {n} malformed")],
    schema=[("*pq.Error", 'pq: column "{w}_{w2}" does not exist ({n})'), ("*pq.Error", 'pq: relation "{w}" does not exist ({n})')],
    peer=[("*status.Error", "rpc error: code = Internal desc = {peer}: {w} {n}"), ("*url.Error", 'Post "http://{peer}.svc.cluster.local/{w}/{n}": EOF')],
    memory=[("OOMKilled", "container killed, exit code 137 ({n})"), ("runtime.Error", "fatal error: runtime: out of memory: cannot allocate {n}-byte block")],
    vendor_down=[("*url.Error", 'Post "https://{host}/v3/{w}/{n}": dial tcp: i/o timeout'), ("*url.Error", 'Get "https://{host}/{w}": context deadline exceeded ({n})')],
    vague=[("*errors.errorString", "request failed, giving up ({n})"), ("*errors.errorString", "{w}: could not be completed")],
    overload=[("*pq.Error", "pq: sorry, too many clients already ({n})"), ("*errors.errorString", "semaphore: no free slot after {n}ms"), ("*net.OpError", "accept: too many open files ({n})")],
    cert=[("*tls.CertificateVerificationError", 'Get "https://{host}/": x509: certificate has expired or is not yet valid ({n})')],
    infra=[("*kafka.Error", "Leader Not Available: no leader for partition {n}"), ("*redis.Error", "READONLY You can't write against a read only replica. {n}"), ("*pq.Error", "pq: the database system is in recovery mode ({n})")],
    dns=[("*net.DNSError", "lookup {host} on 10.96.0.10:53: no such host {n}")], disk=[("*fs.PathError", "write /var/data/{w}.{n}: no space left on device")],
    auth=[("*status.Error", "rpc error: code = Unauthenticated desc = invalid credentials for {w} ({n})")], rate=[("*errors.errorString", "rate limit exceeded for key {n}")],
    missing=[("*plugin.Error", "undefined symbol: {w}.Init ({n})")],
)  # fmt: skip
VOCABULARIES["java"] = _vocabulary(
    "e:portal e:mobile-bff m:policy m:claims m:rating m:customer m:document w:scheduler w:settlement b:archive b:master",
    ".java", ["src/main/java/", "com/acme/", ""],
    ["java.base/java/lang/Thread.java", "org/springframework/web/servlet/FrameworkServlet.java", "com/zaxxer/hikari/pool/HikariPool.java"],
    "policy claim rate customer document premium", "Controller Service Repository Mapper Client Job Validator", "handle find apply doExecute map validate invoke",
    bug=[("java.lang.NullPointerException", 'Cannot invoke "Object.toString()" because "{w}" is null'), ("java.lang.IllegalStateException", "unexpected {w} {n}"),
         ("java.lang.ClassCastException", "class com.acme.{w} cannot be cast to class java.lang.Long ({n})"), ("java.util.NoSuchElementException", "No value present for {w} {n}")],
    chronic=[("java.net.SocketException", "Connection reset ({n})"), ("org.springframework.dao.DuplicateKeyException", "PreparedStatementCallback; duplicate entry {n}"),
             ("javax.validation.ConstraintViolationException", "{w}: must not be blank {n}"), ("java.net.SocketTimeoutException", "{peer} Read timed out {n}")],
    schema=[("java.sql.SQLSyntaxErrorException", "Unknown column '{w}.{w2}' in 'field list' ({n})"), ("org.postgresql.util.PSQLException", 'ERROR: relation "{w}" does not exist Position: {n}')],
    peer=[("feign.FeignException$InternalServerError", "[500] during [GET] to [http://{peer}/api/{w}/{n}]"), ("com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException", 'Unrecognized field "{w}" in answer of {peer} ({n})')],
    memory=[("java.lang.OutOfMemoryError", "Java heap space ({n})"), ("java.lang.OutOfMemoryError", "GC overhead limit exceeded ({n})")],
    vendor_down=[("java.net.ConnectException", "Failed to connect to {host}/203.0.113.{n}:443"), ("java.net.SocketTimeoutException", "Read timed out calling https://{host}/{w}/{n}")],
    vague=[("com.acme.ProcessingException", "Processing of {w} failed ({n})"), ("java.lang.RuntimeException", "unable to complete request {n}")],
    overload=[("java.sql.SQLTransientConnectionException", "HikariPool-1 - Connection is not available, request timed out after {n}ms."), ("java.util.concurrent.RejectedExecutionException", "Task {n} rejected from ThreadPoolExecutor")],
    cert=[("javax.net.ssl.SSLHandshakeException", "PKIX path validation failed: CertPathValidatorException: validity check failed, certificate expired ({host}) {n}")],
    infra=[("org.apache.kafka.common.errors.NotLeaderOrFollowerException", "This server is not the leader for partition {n}"), ("com.mongodb.MongoNotPrimaryException", "not primary, election in progress {n}")],
    dns=[("java.net.UnknownHostException", "{host}: Name or service not known ({n})")], disk=[("java.io.IOException", "No space left on device writing segment {n}")],
    auth=[("org.springframework.security.authentication.BadCredentialsException", "Bad credentials for {w} {n}")], rate=[("com.acme.ThrottledException", "quota exceeded, retry in {n} s")],
    missing=[("java.lang.NoClassDefFoundError", "com/acme/{w}/Codec ({n})")],
)  # fmt: skip
VOCABULARIES["ruby"] = _vocabulary(
    "e:shop e:admin m:pricing m:baskets m:members w:mailings w:imports b:ledger",
    ".rb", ["/app/", "", "/srv/www/releases/20260104/"],
    ["/usr/local/bundle/gems/rack-3.0.8/lib/rack/handler.rb", "/usr/local/bundle/gems/activerecord-7.1.2/lib/active_record/base.rb"],
    "pricing baskets members orders coupons imports", "controller job model service presenter policy", "call perform index create update block",
    bug=[("NoMethodError", "undefined method `{w}' for nil:NilClass"), ("ArgumentError", "wrong number of arguments (given {n}, expected 2)"), ("KeyError", "key not found: :{w}"), ("ActiveRecord::RecordNotFound", "Couldn't find {w} with 'id'={n}")],
    chronic=[("Errno::ECONNRESET", "Connection reset by peer {n}"), ("ActionController::BadRequest", "invalid %-encoding {n}"), ("ActiveRecord::RecordNotUnique", "PG::UniqueViolation duplicate key {n}"), ("Net::ReadTimeout", "{peer} Net::ReadTimeout {n}")],
    schema=[("ActiveRecord::StatementInvalid", "PG::UndefinedColumn: ERROR: column {w}.{w2} does not exist LINE {n}"), ("ActiveModel::UnknownAttributeError", "unknown attribute '{w}' column {n}")],
    peer=[("Faraday::ServerError", "the server responded with status 500 for http://{peer}.internal/{w}/{n}"), ("JSON::ParserError", "unexpected token in answer of {peer} at {n}")],
    memory=[("NoMemoryError", "failed to allocate memory ({n})"), ("PumaWorkerKiller", "worker {n} killed, out of memory")],
    vendor_down=[("Net::OpenTimeout", "execution expired: https://{host}/{w} ({n})"), ("Faraday::ConnectionFailed", "Failed to open TCP connection to {host}:443 ({n})")],
    vague=[("StandardError", "something went wrong with {w} ({n})"), ("ServiceFailure", "gave up after {n} attempts")],
    overload=[("ActiveRecord::ConnectionTimeoutError", "could not obtain a connection from the pool within {n} seconds"), ("Rack::Timeout::RequestTimeoutException", "Request waited {n}ms, then ran longer")],
    cert=[("OpenSSL::SSL::SSLError", "SSL_connect returned=1 state=error: certificate verify failed (certificate has expired) {host} {n}")],
    infra=[("Redis::CannotConnectError", "Error connecting to Redis: MASTERDOWN link {n}"), ("PG::ConnectionBad", "server closed the connection unexpectedly: primary failover {n}")],
    dns=[("SocketError", "getaddrinfo: Temporary failure in name resolution {host} {n}")], disk=[("Errno::ENOSPC", "No space left on device @ io_write - /tmp/{w}{n}")],
    auth=[("JWT::VerificationError", "Signature verification raised for {w} {n}: invalid signature")], rate=[("Rack::Attack::Throttled", "too many requests {n}")],
    missing=[("LoadError", "cannot load such file -- {w}/codec ({n})")],
)  # fmt: skip
VOCABULARIES["dotnet"] = _vocabulary(
    "e:site e:gateway e:pos m:tickets m:venues m:payments m:seats w:mail w:reports b:core",
    ".cs", ["/src/", "C:\\build\\src\\", ""],
    ["Microsoft.AspNetCore.Mvc/Infrastructure/ActionMethodExecutor.cs", "System.Data.SqlClient/SqlConnection.cs"],
    "Tickets Venues Payments Seats Offers", "Controller Handler Repository Client Worker Options", "Handle ExecuteAsync MoveNext Get Map InvokeAsync",
    bug=[("System.NullReferenceException", "Object reference not set to an instance of an object."), ("System.InvalidOperationException", "Sequence contains no elements {w}"), ("System.FormatException", "Input string '{n}' was not in a correct format."), ("System.Collections.Generic.KeyNotFoundException", "The given key '{w}' was not present in the dictionary.")],
    chronic=[("System.Threading.Tasks.TaskCanceledException", "A task was canceled. {n}"), ("System.IO.IOException", "The client reset the request stream {n}"), ("Microsoft.Data.SqlClient.SqlException", "Violation of UNIQUE KEY constraint {n}"), ("System.ArgumentException", "{w} {n} is invalid")],
    schema=[("Microsoft.Data.SqlClient.SqlException", "Invalid column name '{w}'. Line {n}"), ("Microsoft.Data.SqlClient.SqlException", "Invalid object name 'dbo.{w}'. {n}")],
    peer=[("System.Net.Http.HttpRequestException", "Response status code does not indicate success: 500 ({peer}/{w}/{n})"), ("System.Text.Json.JsonException", "The JSON value of {peer} could not be converted, path $.{w} line {n}")],
    memory=[("System.OutOfMemoryException", "Exception of type 'System.OutOfMemoryException' was thrown. {n}")],
    vendor_down=[("System.Net.Http.HttpRequestException", "Connection refused ({host}:443) {n}"), ("System.TimeoutException", "The operation to https://{host}/{w} has timed out {n}")],
    vague=[("Acme.OperationFailedException", "The operation could not be completed. {n}"), ("System.Exception", "{w} failed")],
    overload=[("System.InvalidOperationException", "Timeout expired. The timeout period elapsed prior to obtaining a connection from the pool. {n}"), ("Microsoft.Data.SqlClient.SqlException", "Resource ID: {n}. The request limit for the database is 200 and has been reached.")],
    cert=[("System.Security.Authentication.AuthenticationException", "The remote certificate is invalid: NotTimeValid, certificate expired {host} {n}")],
    infra=[("RabbitMQ.Client.Exceptions.BrokerUnreachableException", "None of the specified endpoints were reachable {n}"), ("Microsoft.Data.SqlClient.SqlException", "The database is not currently available, failover in progress {n}")],
    dns=[("System.Net.Sockets.SocketException", "No such host is known. ({host}:443) {n}")], disk=[("System.IO.IOException", "There is not enough space on the disk: no space left {n}")],
    auth=[("Microsoft.IdentityModel.Tokens.SecurityTokenInvalidSignatureException", "IDX10503: Signature validation failed, invalid signature {w} {n}")], rate=[("Acme.TooManyRequestsException", "request limit reached {n}")],
    missing=[("System.MissingMethodException", "Method not found: 'Void Acme.{w}.Apply({n})'")],
)  # fmt: skip
VOCABULARIES["rust"] = _vocabulary(
    "e:front m:router m:matcher m:trades w:replayer b:store",
    ".rs", ["/build/", "", "/home/ci/work/"],
    ["/rustc/9fc6b4312/library/core/src/panicking.rs", "/usr/local/cargo/registry/src/index/tokio-1.37.0/src/runtime/task.rs"],
    "route matching trade book session", "handler engine codec store client config", "poll run apply decode handle insert",
    bug=[("panic", "index out of bounds: the len is 3 but the index is {n}"), ("panic", "called `Option::unwrap()` on a `None` value"), ("panic", "attempt to subtract with overflow"), ("ParseIntError", "invalid digit found in string {w}{n}")],
    chronic=[("hyper::Error", "connection closed before message completed {n}"), ("std::io::Error", "Connection reset by peer (os error 104) {n}"), ("serde_json::Error", "expected value at line 1 column {n}"), ("AppError", "{w} {n} rejected")],
    schema=[("sqlx::Error", 'error returned from database: column "{w}" does not exist {n}'), ("sqlx::Error", 'no such table: {w} {n}')],
    peer=[("reqwest::Error", "error sending request for url (http://{peer}.internal/{w}/{n})"), ("tonic::Status", "status: Internal, message: {peer} {w} {n}")],
    memory=[("SIGABRT", "memory allocation of {n} bytes failed")],
    vendor_down=[("reqwest::Error", "error sending request for url (https://{host}/{w}/{n}): operation timed out"), ("reqwest::Error", "tcp connect error to {host}:443: Connection refused (os error 111) {n}")],
    vague=[("AppError", "{w} could not be processed"), ("anyhow::Error", "giving up {n}")],
    overload=[("sqlx::Error", "pool timed out while waiting for an open connection {n}"), ("std::io::Error", "Too many open files (os error 24) {n}")],
    cert=[("rustls::Error", "invalid peer certificate: Expired {host} {n}")],
    infra=[("rdkafka::Error", "Local: All broker connections are down {n}"), ("raft::Error", "not leader, leader election running {n}")],
    dns=[("hickory_resolver::Error", "no record found for name: {host} type: A, failed to lookup address information: Name or service not known {n}")], disk=[("std::io::Error", "No space left on device (os error 28) {n}")],
    auth=[("jsonwebtoken::Error", "InvalidSignature token {w} {n}: invalid signature")], rate=[("tower::Error", "rate limit exceeded {n}")],
    missing=[("dlopen::Error", "undefined symbol: {w}_init {n}")],
)  # fmt: skip
VOCABULARIES["php"] = _vocabulary(
    "e:www e:booking m:rooms m:prices m:guests w:cron b:channel b:invoices",
    ".php", ["/var/www/html/", "", "/app/"],
    ["/var/www/html/vendor/symfony/http-kernel/HttpKernel.php", "/var/www/html/vendor/doctrine/dbal/src/Connection.php"],
    "Rooms Prices Guests Booking Channel", "Controller Entity Repository Manager Command Listener", "handle __invoke find execute persist onKernelRequest",
    bug=[("TypeError", "Argument #1 (${w}) must be of type string, null given"), ("Error", "Call to a member function {w}() on null"), ("DivisionByZeroError", "Division by zero"), ("ErrorException", 'Warning: Undefined array key "{w}"')],
    chronic=[("PDOException", "SQLSTATE[23000]: Integrity constraint violation: 1062 Duplicate entry '{n}'"), ("Symfony\\Component\\HttpKernel\\Exception\\BadRequestHttpException", "bad cursor {n}"), ("ErrorException", "Notice: unserialize(): Error at offset {n}"), ("GuzzleHttp\\Exception\\ConnectException", "cURL error 28: {peer} timed out after {n} milliseconds")],
    schema=[("PDOException", "SQLSTATE[42S22]: Column not found: 1054 Unknown column '{w}.{w2}' {n}"), ("PDOException", "SQLSTATE[42S02]: Base table or view not found: 1146 Table '{w}' doesn't exist {n}")],
    peer=[("GuzzleHttp\\Exception\\ServerException", "Server error: `GET http://{peer}.internal/{w}/{n}` resulted in a `500 Internal Server Error`"), ("UnexpectedValueException", "missing field {w} in payload from {peer} {n}")],
    memory=[("FatalError", "Allowed memory size of {n} bytes exhausted (tried to allocate 20480 bytes)")],
    vendor_down=[("GuzzleHttp\\Exception\\ConnectException", "cURL error 7: Failed to connect to {host} port 443: Connection refused {n}"), ("GuzzleHttp\\Exception\\ConnectException", "cURL error 28: Operation timed out after {n} ms for https://{host}/{w}")],
    vague=[("RuntimeException", "Could not complete {w} {n}"), ("Exception", "unexpected error {n}")],
    overload=[("PDOException", "SQLSTATE[HY000] [1040] Too many connections {n}"), ("FatalError", "Maximum execution time of 30 seconds exceeded, server reached pm.max_children {n}")],
    cert=[("GuzzleHttp\\Exception\\RequestException", "cURL error 60: SSL certificate problem: certificate has expired for https://{host}/ {n}")],
    infra=[("PDOException", "SQLSTATE[HY000]: General error: 1290 The MySQL server is running with the --read-only option, replica {n}"), ("RedisException", "CLUSTERDOWN The cluster is down {n}")],
    dns=[("GuzzleHttp\\Exception\\ConnectException", "cURL error 6: Could not resolve host: {host} {n}")], disk=[("ErrorException", "file_put_contents(): write of {n} bytes failed with errno=28 No space left on device")],
    auth=[("Lcobucci\\JWT\\Validation\\RequiredConstraintsViolated", "invalid signature of token {w} {n}")], rate=[("TooManyRequestsHttpException", "rate limit of {n} reached")],
    missing=[("Error", 'Class "App\\{w}\\Codec" not found {n}')],
)  # fmt: skip
for _each in ("go", "java", "ruby", "dotnet", "rust", "php"):
    POOL_VOCABULARY.setdefault(POOL, _each)
LANGUAGES = ("go", "java", "ruby", "dotnet", "rust", "php")


def _files(w: World, sig: Any, service: str, inner: float = 0.5, outer: float = 0.2) -> list[str]:  # Any: theirs
    """Changed files of the guilty deploy: often, not always, one of the stack."""
    files, roll = w.hot(w.services[service].files, w.whole(2, 8)), w.rng.random()
    if roll < inner + outer:
        files.append(w.culprit(sig, service, 0 if roll < inner else 1))
    return sorted(set(files))


@family(POOL, 1.5)
def plain_regression(w: World, t: float) -> None:
    """A deploy breaks one endpoint; errors follow at the pace of its use."""
    end = t + w.between(30, 200) * MIN
    s = w.pick(t, end, tiers=("edge", "mid", "back"))
    if s:
        w.clear(s, t - 5 * MIN, end)
        sig = w.signature(s)
        d = w.deploy(s, t, files=_files(w, sig, s))
        fix = w.repair(d, end)
        inc = w.incident("plain_regression", "deploy", d)
        w.fault(inc, s, sig, t + min(w.lag(), 0.4 * (end - t)), fix.finish, w.whole(10, 120), on=d, off=fix)
        w.decoys(t, exclude=[s], after=5 * MIN)


@family(POOL)
def config_push(w: World, t: float) -> None:
    """A deploy of configuration alone breaks sign-in or a connection at once."""
    end = t + w.between(10, 60) * MIN
    s = w.pick(t, end)
    if s:
        w.clear(s, t - 5 * MIN, end)
        d = w.deploy(s, t, kind="config", strategy="all_at_once")
        fix = w.deploy(s, end, kind="config", strategy="all_at_once")
        inc = w.incident("config_push", "deploy", d)
        w.fault(
            inc,
            s,
            w.signature(s, w.choose(["auth", "auth", "dns"]), host=w.choose(w.vocab["hosts"])),
            t + d.duration * 0.4,
            fix.finish,
            w.whole(15, 90),
            on=d,
            off=fix,
        )
        w.deploy(s, t - w.between(20, 80) * MIN)
        w.decoys(t, exclude=[s])


@family(POOL)
def missing_library(w: World, t: float) -> None:
    """A build lacks a library: every host fails as it comes up."""
    end = t + w.between(8, 40) * MIN
    s = w.pick(t, end)
    if s:
        w.clear(s, t - 5 * MIN, end)
        d = w.deploy(
            s,
            t,
            files=["go.sum", "Gemfile.lock", "Cargo.lock", "pom.xml", *w.hot(w.services[s].files, 2)],
            strategy="rolling",
            duration=w.between(6, 20) * MIN,
        )
        fix = w.repair(d, end, "rollback")
        inc = w.incident("missing_library", "deploy", d)
        w.fault(inc, s, w.signature(s, "missing"), t, fix.finish, w.whole(12, 60), on=d, off=fix)
        w.decoys(t, exclude=[s])


@family(POOL)
def caller_floods(w: World, t: float) -> None:
    """A caller's deploy multiplies its calls; the service it calls runs out of capacity, then the caller times out."""
    end = t + w.between(20, 100) * MIN
    a = w.pick(t, end, need=lambda x: bool(x.deps))
    if a:
        b = w.choose(w.services[a].deps)
        w.clear(a, t - 5 * MIN, end)
        d = w.deploy(a, t)
        fix = w.repair(d, end)
        inc = w.incident("caller_floods", "deploy", d)
        at = t + d.duration * 0.7
        w.fault(inc, b, w.signature(b, "overload"), at, fix.start + 60, w.whole(15, 80), shape="ramp")
        w.fault(inc, a, w.signature(a, "peer", peer=b), at + 60, fix.finish, w.whole(15, 60), on=d, off=fix)
        w.decoys(t, exclude=[a, b])


@family(POOL)
def switched_off(w: World, t: float) -> None:
    """A flag is switched off; those who relied on it fail."""
    end = t + w.between(15, 90) * MIN
    s = w.pick(t, end, tiers=("edge", "mid"))
    if s:
        sig = w.signature(s)
        key = w.new_flag(s, w.culprit(sig, s), initial=100)
        c = w.flip(key, t, 0)
        w.clear(s, t - 2 * MIN, end)
        inc = w.incident("switched_off", "flag", c)
        w.fault(inc, s, sig, t + w.between(5, 300), end, w.whole(10, 80), flag=(key, False))
        w.flip(key, end, 100)
        if w.chance(0.5):
            w.deploy(s, t - w.between(10, 50) * MIN)
        w.decoys(t, exclude=[s])


@family(POOL)
def flag_ramp(w: World, t: float) -> None:
    """A flag goes up in steps; the step to half of the users brings load the code cannot take."""
    end = t + w.between(20, 80) * MIN
    s = w.pick(t, end, tiers=("edge", "mid"))
    if s:
        sig = w.signature(s, w.choose(["bug", "overload"]))
        key = w.new_flag(s, w.culprit(sig, s), initial=0)
        w.flip(key, t - 5 * HOUR, 5)
        c = w.flip(key, t, 50)
        w.clear(s, t - 2 * MIN, end)
        inc = w.incident("flag_ramp", "flag", c)
        w.fault(inc, s, sig, t + w.between(10, 500), end, w.whole(12, 80), flag=(key, True))
        w.flip(key, end, w.choose([0, 5]))
        w.decoys(t, exclude=[s])


@family(POOL)
def canary_of_dependency(w: World, t: float) -> None:
    """A canary of a called service answers wrongly; its callers fail now and then, itself it says nothing."""
    bake = w.between(20, 70) * MIN
    b = w.pick(t, t + bake, need=lambda x: bool(w.callers(x.name)) and len(x.hosts) >= 5)
    if b:
        w.clear(b, t - 5 * MIN, t + bake)
        d = w.deploy(b, t, strategy="canary", percent=20, abort_after=bake, duration=3 * MIN)
        inc = w.incident("canary_of_dependency", "deploy", d)
        for a in w.callers(b)[:2]:
            w.fault(inc, a, w.signature(a, "peer", peer=b), t + 60, t + bake, w.whole(8, 40))
        w.decoys(t, exclude=[b])


@family(POOL)
def resurrected(w: World, t: float) -> None:
    """A rollback for another reason brings back an error that had been repaired."""
    s = w.pick(t - 10 * HOUR, t + HOUR, tiers=("edge", "mid"))
    if s:
        sig = w.signature(s)
        w.clear(s, t - 10 * HOUR, t + HOUR)
        first = w.deploy(s, t - 9 * HOUR, files=_files(w, sig, s))
        old = w.incident("resurrected", "deploy", first)
        fix = w.deploy(s, t - 8 * HOUR, kind="hotfix", strategy="all_at_once")
        w.fault(old, s, sig, first.finish, fix.finish, w.whole(12, 40), on=first, off=fix)
        other = w.deploy(s, t - 40 * MIN)
        back = w.deploy(s, t, kind="rollback", files=[], files_known=False, strategy="all_at_once")
        back.restores = fix if w.chance(0.5) else other
        if back.restores is fix:
            inc = w.incident("resurrected", "deploy", back)
            again = w.deploy(s, t + 50 * MIN, kind="hotfix", strategy="all_at_once")
            w.fault(inc, s, sig, back.finish, again.finish, w.whole(10, 40), on=back, off=again)


@family(POOL)
def slow_connections(w: World, t: float) -> None:
    """A deploy leaks connections; the pool runs dry with the next peak, hours later."""
    onset = t + w.between(2, 7) * HOUR
    end = onset + w.between(20, 80) * MIN
    s = w.pick(t, end)
    if s:
        w.clear(s, t - 5 * MIN, end)
        d = w.deploy(s, t)
        fix = w.repair(d, end)
        inc = w.incident("slow_connections", "deploy", d)
        w.fault(inc, s, w.signature(s, "overload"), onset, fix.finish, w.whole(15, 60), on=d, off=fix, shape="ramp")
        w.decoys(onset, exclude=[s])


@family(POOL, 1.5)
def data_store_fails(w: World, t: float) -> None:
    """A broker or database that several services share changes its leader; nobody deployed it."""
    end = t + w.between(8, 60) * MIN
    inc = w.incident("data_store_fails", "external")
    hit = [s for s in (w.pick(t, end) for _ in range(w.choose([1, 2, 3, 4]))) if s]
    for s in hit:
        w.fault(inc, s, w.signature(s, "infra"), t + w.between(0, 40), end, w.whole(10, 70))
    if hit and w.chance(0.6):
        w.deploy(hit[0], t - w.between(2, 40) * MIN)
    if hit and w.chance(0.3):
        w.outage(inc, hit[0], t + 60, end)
    w.decoys(t)


@family(POOL, 1.5)
def vendor_slow(w: World, t: float) -> None:
    """A third party answers too late; messages name it, or not."""
    end = t + w.between(10, 120) * MIN
    host, inc = w.choose(w.vocab["hosts"]), w.incident("vendor_slow", "external")
    hit = [s for s in (w.pick(t, end) for _ in range(w.choose([1, 1, 2]))) if s]
    for s in hit:
        w.fault(
            inc,
            s,
            w.signature(s, w.choose(["vendor_down", "vendor_down", "vague"]), host=host),
            t + w.between(0, 60),
            end,
            w.whole(10, 80),
            shape=w.choose(["step", "ramp"]),
        )
    if hit and w.chance(0.7):
        w.deploy(hit[0], t - w.between(3, 40) * MIN)
    w.decoys(t)


@family(POOL)
def names_lost(w: World, t: float) -> None:
    """Name resolution fails for a while, in every service."""
    end = t + w.between(5, 30) * MIN
    inc = w.incident("names_lost", "external")
    for s in [s for s in (w.pick(t, end) for _ in range(4)) if s]:
        w.fault(
            inc, s, w.signature(s, "dns", host=w.choose(w.vocab["hosts"])), t + w.between(0, 30), end, w.whole(8, 50)
        )
    w.decoys(t)
    w.deploy(w.choose(sorted(w.services)), t - w.between(2, 20) * MIN)


@family(POOL)
def disk_full(w: World, t: float) -> None:
    """One host's disk is full."""
    end = t + w.between(20, 120) * MIN
    s = w.pick(t, end)
    if s:
        inc = w.incident("disk_full", "external")
        w.fault(inc, s, w.signature(s, "disk"), t, end, w.whole(10, 60), hosts=[w.services[s].hosts[0]])
        if w.chance(0.6):
            w.deploy(s, t - w.between(3, 40) * MIN)
        w.decoys(t)


@family(POOL)
def one_customers_data(w: World, t: float) -> None:
    """A customer's broken data fails again and again; no change did it."""
    end = t + w.between(1, 4) * HOUR
    s = w.pick(t, end, tiers=("edge", "mid"))
    if s:
        inc = w.incident("one_customers_data", "none")
        w.fault(inc, s, w.signature(s), t, end, w.whole(5, 20), users="one")
        w.clear(s, t - 3 * HOUR, end)
        w.decoys(t, exclude=[s])


@family(POOL)
def crawlers(w: World, t: float) -> None:
    """A crawler multiplies traffic; limits are reached."""
    end = t + w.between(15, 60) * MIN
    s = w.pick(t, end, tiers=("edge",))
    if s:
        w.spikes.append((t - 2 * MIN, end, w.between(3, 8), [s]))
        inc = w.incident("crawlers", "external")
        w.fault(inc, s, w.signature(s, w.choose(["rate", "overload"])), t, end, w.whole(15, 90))
        if w.chance(0.6):
            w.deploy(s, t - w.between(3, 30) * MIN)
        w.decoys(t)


@family(POOL)
def zone_lost(w: World, t: float) -> None:
    """One region loses its network; hosts there fail in several services."""
    end = t + w.between(8, 50) * MIN
    inc = w.incident("zone_lost", "external")
    hit = [s for s in (w.pick(t, end) for _ in range(w.choose([1, 2, 3]))) if s]
    for s in hit:
        group = w.choose(["infra", "overload", "vague"])
        w.fault(inc, s, w.signature(s, group), t + w.between(0, 30), end, w.whole(10, 60), region="us1")
    if hit and w.chance(0.5):
        w.deploy(hit[0], t - w.between(3, 30) * MIN)
    w.decoys(t)
