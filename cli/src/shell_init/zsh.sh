# Tegata in zsh. What it gives: tegata shell-init --help
typeset -g __tegata_program=@PROGRAM@
typeset -g __tegata_state=${__tegata_state-}
typeset -g __tegata_at= __tegata_file= tegata_prompt=

tg() {
  emulate -L zsh
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
  code=$("$__tegata_program" shell-hook switch --shell zsh --state "$__tegata_state" -- "$@") || return
  eval "$code"
}

# Runs before each prompt. It starts a program only after a change of directory, and for the prompt's segment.
__tegata_hook() {
  local before=$?
  emulate -L zsh
  if [[ $PWD != "$__tegata_at" ]]; then
    __tegata_at=$PWD
    __tegata_enter
  fi
  if [[ @PROMPT@ == yes ]]; then
    tegata_prompt=
    if [[ -n ${TEGATA_PROFILE-}${AWS_PROFILE-} ]] && command -v "$__tegata_program" >/dev/null 2>&1; then
      tegata_prompt=$("$__tegata_program" prompt --segment zsh 2>/dev/null) || tegata_prompt=
    fi
  fi
  # Under ERR_EXIT a status would end the shell.
  if [[ -o err_exit || -o err_return ]]; then return 0; fi
  return $before
}

# Looks for the nearest .tegata, and tells Tegata when it is another one than before.
__tegata_enter() {
  emulate -L zsh
  local at=$PWD found= code
  while :; do
    if [[ -f ${at%/}/.tegata ]]; then
      found=${at%/}/.tegata
      break
    fi
    [[ $at == */* ]] || break
    at=${at%/*}
  done
  if [[ $found == "$__tegata_file" ]]; then return 0; fi
  __tegata_file=$found
  if [[ -z $found && $__tegata_state != *applied* ]]; then return 0; fi
  command -v "$__tegata_program" >/dev/null 2>&1 || return 0
  code=$("$__tegata_program" shell-hook directory --shell zsh --state "$__tegata_state" ${found:+"$found"}) || return 0
  eval "$code"
}

__tegata_complete() {
  emulate -L zsh
  local -a lines names shown
  local line
  lines=("${(@f)$("$__tegata_program" shell-hook complete --shell zsh -- "${(@Q)words[1,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    names+=("${line%%$'\t'*}")
    shown+=("${line/$'\t'/  }")
  done
  if (( $#names )); then
    compadd -l -d shown -a -- names
  else
    _files
  fi
}

typeset -ga precmd_functions
precmd_functions=(__tegata_hook ${precmd_functions:#__tegata_hook})
# Where compinit has not run there is nothing to complete with.
if (( ${+functions[compdef]} )); then compdef __tegata_complete tegata tg; fi
# The shell expands the variable when it shows the prompt, and nothing within what it holds; its percent signs are doubled.
if [[ @PROMPT@ == yes && ${PROMPT-} != *tegata_prompt* ]]; then
  setopt prompt_subst
  PROMPT='${tegata_prompt-}'${PROMPT-}
fi
