# Tegata in bash. What it gives: tegata shell-init --help
__tegata_program=@PROGRAM@
__tegata_state=${__tegata_state-}
__tegata_at=
__tegata_file=
tegata_prompt=

tg() {
  local code
  case ${1-} in
    -h | --help) "$__tegata_program" shell-init --help; return ;;
    --trust)
      "$__tegata_program" trust || return
      __tegata_file=
      __tegata_enter
      return
      ;;
  esac
  code=$("$__tegata_program" shell-hook switch --shell bash --state "$__tegata_state" -- "$@") || return
  eval "$code"
}

# Runs before each prompt. It starts a program only after a change of directory, and for the prompt's segment.
__tegata_hook() {
  local before=$?
  if [ "$PWD" != "$__tegata_at" ]; then
    __tegata_at=$PWD
    __tegata_enter
  fi
  if [ @PROMPT@ = yes ]; then
    tegata_prompt=
    if [ -n "${TEGATA_PROFILE-}${AWS_PROFILE-}" ] && command -v "$__tegata_program" >/dev/null 2>&1; then
      tegata_prompt=$("$__tegata_program" prompt --segment bash 2>/dev/null) || tegata_prompt=
    fi
  fi
  # Under `set -e` a status would end the shell.
  case $- in *e*) return 0 ;; esac
  return "$before"
}

# Looks for the nearest .tegata, and tells Tegata when it is another one than before.
__tegata_enter() {
  local at=$PWD found= code
  while :; do
    if [ -f "${at%/}/.tegata" ]; then
      found=${at%/}/.tegata
      break
    fi
    case $at in
      */*) at=${at%/*} ;;
      *) break ;;
    esac
  done
  if [ "$found" = "$__tegata_file" ]; then return 0; fi
  __tegata_file=$found
  case $found$__tegata_state in
    */.tegata* | *applied*) ;;
    *) return 0 ;;
  esac
  command -v "$__tegata_program" >/dev/null 2>&1 || return 0
  code=$("$__tegata_program" shell-hook directory --shell bash --state "$__tegata_state" ${found:+"$found"}) || return 0
  eval "$code"
}

__tegata_complete() {
  local line
  COMPREPLY=()
  command -v "$__tegata_program" >/dev/null 2>&1 || return 0
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <("$__tegata_program" shell-hook complete --shell bash --breaks "$COMP_WORDBREAKS" \
    -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}

if [ -n "${BASH_VERSION-}" ]; then
  complete -o default -F __tegata_complete tegata tg
  case $(declare -p PROMPT_COMMAND 2>/dev/null) in
    *__tegata_hook*) ;;
    'declare -a'*) PROMPT_COMMAND=(__tegata_hook ${PROMPT_COMMAND[@]+"${PROMPT_COMMAND[@]}"}) ;;
    *) PROMPT_COMMAND=__tegata_hook${PROMPT_COMMAND:+$'\n'$PROMPT_COMMAND} ;;
  esac
  # The shell expands the variable when it shows the prompt, and nothing within what it holds.
  case @PROMPT@${PS1-} in
    yes*tegata_prompt* | no*) ;;
    *) PS1='${tegata_prompt-}'${PS1-} ;;
  esac
fi
