# Completion of prctl for bash. In zsh: autoload -U +X bashcompinit && bashcompinit, then source it.
#
# Commands are those that `prctl help` shows, options those of a command's usage, components and the
# root folder those of the instance that the command line names.

# What follows the first "KEY": in prctl's JSON, a plain string.
_prctl_string() {
  sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" | head -n 1
}

_prctl_commands() {
  "$1" help 2>/dev/null | sed -n 's/^  \([a-z-]*\) .*/\1/p'
}

# What a command says when its line is wrong, which these do before anything else.
_prctl_usage() { # COMMAND PRCTL [--instance NAME]
  local command=$1
  shift
  case $command in
  update | mupdate | fault) "$@" "$command" 2>&1 ;;
  mupdate-*) "$@" "$command" no-argument 2>&1 ;;
  boot | check | history | log | mem | ps | reload | sched | status | top | trace)
    "$@" "$command" --no-such-option 2>&1
    ;;
  *) "$1" help 2>/dev/null | sed -n "s/^  $command //p" ;;
  esac
}

_prctl_options() { # COMMAND PRCTL [--instance NAME]
  _prctl_usage "$@" | grep -oE '(\[|[| ])--?[a-z][-a-z]*' | tr -d '[| ' | sort -u
}

_prctl_components() { # PRCTL [--instance NAME]
  "$@" status --json 2>/dev/null | sed -n 's/.*{"name": "\([^"]*\)".*/\1/p'
}

_prctl_instances() {
  local base=${PROTEOS_RUNTIME_DIR:-}
  [[ $base ]] || base=${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/proteos}
  [[ $base ]] || base=/tmp/proteos-$UID
  local socket
  for socket in "$base"/*/control.sock; do
    [[ -S $socket ]] && basename "${socket%/control.sock}"
  done
}

# Files below the instance's root folder, named as prctl update takes them, and those of the host.
_prctl_versions() { # CURRENT PRCTL [--instance NAME]
  local current=$1 root
  shift
  root=$("$@" status --json 2>/dev/null | _prctl_string root)
  [[ $root && $current == /* ]] && compgen -f -- "$root$current" | cut -c $((${#root} + 1))-
  compgen -f -- "$current"
}

_prctl_words() { # CURRENT WORDS
  compgen -W "$2" -- "$1"
}

# One argument of a command. $1: the current word, $2: the one before it, $3: how many arguments come
# before it, $4: the command; then prctl and its instance.
_prctl_argument() {
  local current=$1 previous=$2 n=$3 command=$4
  shift 4
  case $command:$previous in
  boot:-manifest | boot:--manifest)
    compgen -f -- "$current"
    return
    ;;
  esac
  if [[ $current == -* ]]; then
    _prctl_words "$current" "$(_prctl_options "$command" "$@")"
    return
  fi
  case $command:$n in
  check:0 | reload:0 | keygen:0 | sign:*) compgen -f -- "$current" ;;
  log:0) _prctl_words "$current" "instance $(_prctl_components "$@")" ;;
  trace:*) [[ $previous == -*e ]] && _prctl_words "$current" "$(_prctl_components "$@")" ;;
  start:0 | stop:0 | gdb:0 | kill:0 | update:0 | mupdate:0)
    _prctl_words "$current" "$(_prctl_components "$@")"
    ;;
  fault:0) _prctl_words "$current" "loader busd $(_prctl_components "$@")" ;;
  fault:1) _prctl_words "$current" "$("$1" fault --points 2>/dev/null | sed 's/ .*//')" ;;
  fault:2) _prctl_words "$current" "crash kill stop hang error delay" ;;
  kill:1) _prctl_words "$current" "$(compgen -A signal SIG | sed 's/^SIG//')" ;;
  update:1 | mupdate:1) _prctl_versions "$current" "$@" ;;
  esac
}

_prctl() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local -a prctl=("${COMP_WORDS[0]}") words=()
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
    -instance | --instance)
      [[ ${COMP_WORDS[i + 1]} == "=" ]] && ((i++))
      ((++i < COMP_CWORD)) && prctl+=(--instance "${COMP_WORDS[i]}")
      ;;
    *) words+=("${COMP_WORDS[i]}") ;;
    esac
  done
  COMPREPLY=()
  local found
  if [[ $previous == *-instance || ($previous == "=" && ${COMP_WORDS[COMP_CWORD - 2]} == *-instance) ]]; then
    found=$(_prctl_words "$current" "$(_prctl_instances)")
  elif ((${#words[@]} == 0)); then
    found=$(_prctl_words "$current" "$(_prctl_commands "${prctl[0]}") --instance help")
  else
    found=$(_prctl_argument "$current" "$previous" $((${#words[@]} - 1)) "${words[0]}" "${prctl[@]}")
    [[ $found == */* || ${words[0]} == @(boot|check|reload) ]] && compopt -o filenames 2>/dev/null
  fi
  local word
  while IFS= read -r word; do
    [[ $word ]] && COMPREPLY+=("$word")
  done <<<"$found"
}

complete -F _prctl prctl
