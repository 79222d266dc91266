#!/bin/sh
# Tells Upshot of a deploy from a CI job: its start, its end, its commits and the files they changed.
# Upshot deploy script, version @VERSION@. Needs sh, curl, sed and awk; git for the commits.
#
#   deploy.sh [options] start                    a deploy begins
#   deploy.sh [options] finish [success|failure] it ended; the default is the CI's own word, else success
#   deploy.sh [options] run -- command ...       both, around a command; its exit status is this script's
#
# What it needs to know comes from options, else from variables, else from the CI it runs in:
#
#   --service      UPSHOT_SERVICE      default: the repository's name
#   --environment  UPSHOT_ENVIRONMENT  default: the CI's, else production
#   --release      UPSHOT_RELEASE      default: the tag, else the commit
#   --id           UPSHOT_DEPLOY_ID    default: the CI's run and the environment; the same in start and finish
#   --artifact     UPSHOT_ARTIFACT     digest of the build, if there is one
#   --url          UPSHOT_URL          default: @URL@
#                  UPSHOT_TOKEN        a token that may deploys:write (services:write to make what is new)
#   --no-commits                       sends no commits
#   --strict       UPSHOT_STRICT=1     fails when Upshot could not be told; without it the build never breaks
#
# GitHub Actions, GitLab CI, Jenkins, CircleCI and Buildkite are known by their variables.
set -u

url=${UPSHOT_URL:-@URL@} service=${UPSHOT_SERVICE:-} environment=${UPSHOT_ENVIRONMENT:-}
release=${UPSHOT_RELEASE:-} id=${UPSHOT_DEPLOY_ID:-} artifact=${UPSHOT_ARTIFACT:-}
strict=${UPSHOT_STRICT:-0} with_commits=1
sha='' page='' actor='' tag='' result='' ci='' run='' repository='' ci_environment=''

say() { printf 'upshot: %s\n' "$*" >&2; }

# A call that can never work: the one thing that always fails, so that `run` never skips a command in silence.
misused() {
  say "$*"
  exit 2
}

# Ends the script: with 0 unless it is strict.
give_up() {
  say "$*"
  [ "$strict" = 1 ] && exit 2
  exit 0
}

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

# A text as the inside of a JSON string; control characters become spaces.
json() { printf '%s' "$1" | LC_ALL=C tr '\001-\037\177' ' ' | sed 's/\\/\\\\/g; s/"/\\"/g'; }

# ,"key":"text" where the text is not empty.
member() { [ -z "$2" ] || printf ',"%s":"%s"' "$1" "$(json "$2")"; }

# A text as part of an address.
percent() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g'; }

detect_ci() {
  if [ -n "${GITHUB_ACTIONS:-}" ]; then
    ci='GitHub Actions' sha=${GITHUB_SHA:-} actor=${GITHUB_ACTOR:-} repository=${GITHUB_REPOSITORY:-}
    run=github-${GITHUB_RUN_ID:-0}-${GITHUB_RUN_ATTEMPT:-1}
    page=${GITHUB_SERVER_URL:-https://github.com}/$repository/actions/runs/${GITHUB_RUN_ID:-0}
    [ "${GITHUB_REF_TYPE:-}" != tag ] || tag=${GITHUB_REF_NAME:-}
  elif [ -n "${GITLAB_CI:-}" ]; then
    ci='GitLab CI' sha=${CI_COMMIT_SHA:-} actor=${GITLAB_USER_LOGIN:-} repository=${CI_PROJECT_NAME:-}
    run=gitlab-${CI_PIPELINE_ID:-0} page=${CI_JOB_URL:-} tag=${CI_COMMIT_TAG:-} result=${CI_JOB_STATUS:-}
    ci_environment=${CI_ENVIRONMENT_NAME:-}
  elif [ -n "${BUILDKITE:-}" ]; then
    ci=Buildkite sha=${BUILDKITE_COMMIT:-} actor=${BUILDKITE_BUILD_CREATOR:-} repository=${BUILDKITE_PIPELINE_SLUG:-}
    run=buildkite-${BUILDKITE_BUILD_ID:-0} page=${BUILDKITE_BUILD_URL:-} tag=${BUILDKITE_TAG:-}
  elif [ -n "${CIRCLECI:-}" ]; then
    ci=CircleCI sha=${CIRCLE_SHA1:-} actor=${CIRCLE_USERNAME:-} repository=${CIRCLE_PROJECT_REPONAME:-}
    run=circleci-${CIRCLE_WORKFLOW_ID:-0} page=${CIRCLE_BUILD_URL:-} tag=${CIRCLE_TAG:-}
  elif [ -n "${JENKINS_URL:-}" ]; then
    ci=Jenkins sha=${GIT_COMMIT:-} actor=${BUILD_USER_ID:-} repository=${GIT_URL:-${JOB_NAME:-}}
    run=${BUILD_TAG:-jenkins-0} page=${BUILD_URL:-} tag=${TAG_NAME:-}
  fi
}

in_git() { [ "$(git rev-parse --is-inside-work-tree 2>/dev/null)" = true ]; }

fill_in() {
  detect_ci
  case $sha in '' | HEAD) sha=$(git rev-parse --verify -q HEAD 2>/dev/null) || sha='' ;; esac
  if [ -z "$repository" ] && in_git; then
    repository=$(git config --get remote.origin.url) || repository=$(git rev-parse --show-toplevel)
  fi
  repository=${repository%/}
  repository=${repository%.git}
  service=${service:-${repository##*[/:]}}
  environment=${environment:-${ci_environment:-production}}
  release=${release:-${tag:-$sha}}
  [ -z "$run" ] || id=${id:-$run-$environment}
  missing=''
  [ -n "$id" ] || missing='no known CI here: say --id ID or UPSHOT_DEPLOY_ID, the same for start and finish'
  [ -n "$service" ] || missing='say which service this is: --service NAME or UPSHOT_SERVICE'
  [ -n "${UPSHOT_TOKEN:-}" ] || missing='set UPSHOT_TOKEN to a token of your team (Settings, API tokens)'
  command -v curl >/dev/null 2>&1 || missing='curl is missing'
  work=$(mktemp -d 2>/dev/null) || missing='no temporary folder can be made'
  case $page in http://* | https://*) ;; *) page='' ;; esac
}

# request METHOD PATH [FILE]: the answer goes to $work/answer, the status to $code (000: none came). The token is given
# by standard input, where no list of processes shows it. Three tries; sending the same again does no harm.
request() {
  try=1
  while :; do
    if [ $# -gt 2 ]; then
      code=$(token_line | curl -K - -sS -o "$work/answer" -w '%{http_code}' --connect-timeout 3 --max-time 10 \
        -X "$1" -H 'Content-Type: application/json' --data-binary "@$3" "$url$2" 2>"$work/error") || code=000
    else
      code=$(token_line | curl -K - -sS -o "$work/answer" -w '%{http_code}' --connect-timeout 3 --max-time 10 \
        -X "$1" "$url$2" 2>"$work/error") || code=000
    fi
    case $code in 2??) return 0 ;; 000 | 408 | 429 | 5??) ;; *) return 1 ;; esac
    [ "$try" -lt 3 ] || return 1
    sleep "$try"
    try=$((try + 1))
  done
}

token_line() { printf 'header = "Authorization: Bearer %s"\n' "$(json "$UPSHOT_TOKEN")"; }

why() {
  if [ "$code" = 000 ]; then head -n 1 "$work/error"; else
    sed -n 's/.*"detail": *"\([^"]*\)".*/\1/p' "$work/answer" | head -n 1
  fi
}

# The last commit that users have, in $base; 1 where there is none, or none that this clone holds.
find_base() {
  base=''
  request GET "/api/v1/live?service=$(percent "$service")&environment=$(percent "$environment")" || {
    say "commits are left out: the live version could not be asked for (HTTP $code)"
    return 1
  }
  known=$(sed -n 's/.*"commit": *"\([^"\\]*\)".*/\1/p' "$work/answer")
  live=$(sed -n 's/.*"release": *"\([^"\\]*\)".*/\1/p' "$work/answer")
  [ -n "$known$live" ] || { say "nothing was live in $environment: commits begin with the next deploy"; return 1; }
  resolve && return 0
  if [ "$(git rev-parse --is-shallow-repository 2>/dev/null)" = true ]; then
    GIT_TERMINAL_PROMPT=0 git fetch --quiet --deepen=1000 >/dev/null 2>&1
    resolve && return 0
    say "this clone is shallow and does not reach ${known:-$live}: commits are left out (fetch the whole history)"
  else
    say "this clone does not hold ${known:-$live}: commits are left out"
  fi
  return 1
}

resolve() {
  for name in "$known" "$live"; do
    [ -n "$name" ] || continue
    case $name in -*) continue ;; esac
    base=$(git rev-parse -q --verify "$name^{commit}" 2>/dev/null) && return 0
  done
  return 1
}

# The commits after $base as a JSON list. Git quotes a path that holds a quote, a backslash or a control character; of
# these only the first two are taken. The letters 1 and 2 of the alphabet of control characters part the fields.
commits() {
  git -c core.quotePath=false -c log.showSignature=false log --max-count=2000 --name-only --no-renames --no-color \
    --encoding=UTF-8 --format='%x01%H%x02%cI%x02%an%x02%s' "$base..$sha" -- 2>/dev/null |
    LC_ALL=C tr '\003-\011\013-\037\177' ' ' | valid_utf8 |
    LC_ALL=C awk '
      function quoted(text,   i, c, out) {
        out = ""
        for (i = 1; i <= length(text); i++) {
          c = substr(text, i, 1)
          out = out (c == "\"" || c == "\\" || c == "\001" || c == "\002" ? (c < " " ? " " : "\\" c) : c)
        }
        return "\"" out "\""
      }
      function taken(line,   i, c) {
        if (substr(line, 1, 1) != "\"") return quoted(line)
        for (i = 2; i < length(line); i++)
          if (substr(line, i, 1) == "\\") {
            c = substr(line, ++i, 1)
            if (c != "\"" && c != "\\") return ""
          }
        return line
      }
      BEGIN { FS = "\002"; printf "[" }
      substr($0, 1, 1) == "\001" {
        if (count++) printf "]},"
        title = substr($0, length($1) + length($2) + length($3) + 4)
        printf "{\"sha\":%s,\"committed_at\":%s", quoted(substr($1, 2)), quoted($2)
        printf ",\"author\":%s,\"title\":%s,\"files\":[", quoted($3), quoted(title)
        files = 0
        next
      }
      length($0) && count && files < 500 {
        path = taken($0)
        if (path != "") printf "%s%s", (files++ ? "," : ""), path
      }
      END { print (count ? "]}]" : "]") }'
}

valid_utf8() { if command -v iconv >/dev/null 2>&1; then iconv -c -f UTF-8 -t UTF-8; else cat; fi; }

# message STATUS [MEMBERS]: one message about this deploy, in $work/message.
message() {
  {
    printf '{"id":"%s","service":"%s","environment":"%s","status":"%s"' \
      "$(json "$id")" "$(json "$service")" "$(json "$environment")" "$1"
    member release "$release"
    member commit "$sha"
    member artifact "$artifact"
    member url "$page"
    member description "${ci:+$ci${actor:+, started by $actor}}"
    printf '%s' "${2:-}"
  } >"$work/message"
}

# post: sends $work/message, with the commits where there are some. What refuses the commits may take the rest.
post() {
  if [ -s "$work/commits" ]; then
    { cat "$work/message"; printf ',"commits":'; cat "$work/commits"; printf '}'; } >"$work/body"
    request POST /api/v1/deploys "$work/body" && return 0
    case $code in 400 | 413 | 422) say "sending again without commits: $(why)" ;; *) return 1 ;; esac
  fi
  { cat "$work/message"; printf '}'; } >"$work/body"
  request POST /api/v1/deploys "$work/body"
}

told() {
  if post; then
    say "$1: $service $release in $environment"
  else
    failed=1
    say "$1 could not be told (HTTP $code): $(why)"
  fi
}

start() {
  started_at=$(now)
  : >"$work/commits"
  if [ "$with_commits" = 1 ] && [ -n "$sha" ] && in_git && find_base; then
    commits >"$work/commits"
    [ "$(cat "$work/commits")" != '[]' ] || : >"$work/commits"
  fi
  message in_progress ",\"started_at\":\"$started_at\""
  told start
}

# finish RESULT [MEMBERS]
finish() {
  case $(printf '%s' "$1" | tr '[:upper:]' '[:lower:]') in
    success | succeeded | passed | 0) status=success ;;
    *) status=failure ;;
  esac
  : >"$work/commits"
  message "$status" "${2:-},\"finished_at\":\"$(now)\""
  told "$status"
}

# Runs the command with the script's own input, and passes on what asks it to end.
run_command() {
  exec 3<&0
  "$@" <&3 3<&- &
  child=$!
  trap 'kill -TERM "$child" 2>/dev/null' INT TERM HUP
  wait "$child"
  exit_status=$?
  while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    exit_status=$?
  done
  trap - INT TERM HUP
}

act=''
while [ $# -gt 0 ]; do
  case $1 in
    --service | --environment | --release | --id | --artifact | --url)
      [ $# -gt 1 ] || misused "$1 needs a value"
      case $1 in
        --service) service=$2 ;; --environment) environment=$2 ;; --release) release=$2 ;;
        --id) id=$2 ;; --artifact) artifact=$2 ;; --url) url=$2 ;;
      esac
      shift ;;
    --strict) strict=1 ;;
    --no-commits) with_commits=0 ;;
    --) shift; break ;;
    start | finish | run) [ -z "$act" ] || misused "both $act and $1?"; act=$1 ;;
    -*) misused "unknown option $1" ;;
    *) [ "$act" = finish ] || misused "unknown word $1"; result=$1 ;;
  esac
  shift
done
case $act in start | finish | run) ;; *) misused 'say what happened: start, finish or run -- command ...' ;; esac
url=${url%/}
failed=0 exit_status=0

[ "$act" != run ] || [ $# -gt 0 ] || misused 'run needs a command: run -- command ...'
[ "$act" != run ] || run=run-$(date +%s)-$$
work=''
trap '[ -z "$work" ] || rm -rf "$work"' EXIT
fill_in
can_tell=1
if [ -n "$missing" ]; then
  [ "$act" = run ] && [ "$strict" != 1 ] || give_up "nothing is told: $missing"
  say "nothing is told: $missing"
  can_tell=0
fi

case $act in
  start) start ;;
  finish) finish "${result:-success}" ;;
  run)
    [ "$can_tell" = 0 ] || start
    run_command "$@"
    [ "$can_tell" = 0 ] || finish "$exit_status" ",\"started_at\":\"$started_at\"" ;;
esac

[ "$exit_status" = 0 ] || exit "$exit_status"
[ "$failed$strict" != 11 ] || exit 2
exit 0
