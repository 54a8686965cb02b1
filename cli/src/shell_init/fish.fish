# Tegata in fish. What it gives: tegata shell-init --help
set -g __tegata_program @PROGRAM@
set -q __tegata_state; or set -g __tegata_state ''
set -g __tegata_at ''
set -g __tegata_file ''
set -g tegata_prompt ''

function tg --description 'Switch this shell to an AWS profile'
    switch "$argv[1]"
        case -h --help
            $__tegata_program shell-init --help
            return
        case --trust
            $__tegata_program trust
            or return
            set -g __tegata_file ''
            __tegata_enter
            return
    end
    set -l code ($__tegata_program shell-hook switch --shell fish --state "$__tegata_state" -- $argv)
    or return
    string join \n -- $code | source
end

# Runs before each prompt. It starts a program only after a change of directory, and for the prompt's segment.
function __tegata_hook --on-event fish_prompt
    if test "$PWD" != "$__tegata_at"
        set -g __tegata_at $PWD
        __tegata_enter
    end
    if test @PROMPT@ = yes
        set -g tegata_prompt ''
        if test -n "$TEGATA_PROFILE$AWS_PROFILE"; and command -q $__tegata_program
            set -g tegata_prompt ($__tegata_program prompt --segment fish 2>/dev/null)
        end
    end
end

# Looks for the nearest .tegata, and tells Tegata when it is another one than before.
function __tegata_enter
    set -l at $PWD
    set -l found ''
    while true
        set -l here (string replace -r '/$' '' -- $at | string collect)/.tegata
        if test -f $here
            set found $here
            break
        end
        string match -q '*/*' -- $at; or break
        set at (string replace -r '/[^/]*$' '' -- $at | string collect)
    end
    test "$found" = "$__tegata_file"; and return
    set -g __tegata_file $found
    if test -z "$found"; and not string match -q '*applied*' -- $__tegata_state
        return
    end
    command -q $__tegata_program; or return
    set -l file
    test -n "$found"; and set file $found
    set -l code ($__tegata_program shell-hook directory --shell fish --state "$__tegata_state" $file)
    or return
    string join \n -- $code | source
end

function __tegata_complete
    # What is typed so far, as a program would get it.
    set -l word (commandline -ct | string unescape)
    set -l found ($__tegata_program shell-hook complete --shell fish "--word=$word" -- (commandline -cop) 2>/dev/null)
    if test (count $found) -gt 0
        string join \n -- $found
    else
        __fish_complete_path (commandline -ct)
    end
end

complete -c tegata -f -a '(__tegata_complete)'
complete -c tg -f -a '(__tegata_complete)'

function __tegata_status
    return $argv[1]
end

if test @PROMPT@ = yes; and functions -q fish_prompt; and not functions -q __tegata_fish_prompt
    functions -c fish_prompt __tegata_fish_prompt
    function fish_prompt
        set -l before $status
        printf %s "$tegata_prompt"
        __tegata_status $before
        __tegata_fish_prompt
    end
end
