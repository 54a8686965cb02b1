# Tegata in PowerShell. What it gives: tegata shell-init --help
$global:__tegata_program = @PROGRAM@
if (-not (Test-Path variable:global:__tegata_state)) { $global:__tegata_state = '' }
$global:__tegata_at = ''
$global:__tegata_file = ''

function global:tg {
    if ($args.Count -gt 0 -and ($args[0] -eq '-h' -or $args[0] -eq '--help')) {
        & $global:__tegata_program shell-init --help
        return
    }
    if ($args.Count -gt 0 -and $args[0] -eq '--trust') {
        & $global:__tegata_program trust
        if ($LASTEXITCODE -ne 0) { return }
        $global:__tegata_file = ''
        __tegata_enter
        return
    }
    $code = & $global:__tegata_program shell-hook switch --shell powershell "--state=$global:__tegata_state" '--' @args
    if ($LASTEXITCODE -eq 0 -and $code) { Invoke-Expression ($code -join "`n") }
}

# Looks for the nearest .tegata, and tells Tegata when it is another one than before.
function global:__tegata_enter {
    if ($PWD.Provider.Name -ne 'FileSystem') { return }
    $at = $PWD.ProviderPath
    $found = ''
    while ($at) {
        $here = [System.IO.Path]::Combine($at, '.tegata')
        if ([System.IO.File]::Exists($here)) { $found = $here; break }
        $at = [System.IO.Path]::GetDirectoryName($at)
    }
    if ($found -ceq $global:__tegata_file) { return }
    $global:__tegata_file = $found
    if (-not $found -and $global:__tegata_state -notlike '*applied*') { return }
    if (-not (Get-Command $global:__tegata_program -ErrorAction Ignore)) { return }
    $file = @()
    if ($found) { $file = @($found) }
    $code = & $global:__tegata_program shell-hook directory --shell powershell "--state=$global:__tegata_state" @file
    if ($LASTEXITCODE -eq 0 -and $code) { Invoke-Expression ($code -join "`n") }
}

# Runs before each prompt, in front of the prompt that was there. It starts a program only after a change of directory, and for
# the prompt's segment.
if (-not (Test-Path variable:global:__tegata_inner_prompt)) {
    $global:__tegata_inner_prompt = $function:prompt
    function global:prompt {
        $succeeded, $code = $?, $global:LASTEXITCODE
        $segment = ''
        if ($PWD.Path -cne $global:__tegata_at) {
            $global:__tegata_at = $PWD.Path
            __tegata_enter
        }
        if ('@PROMPT@' -eq 'yes' -and "$env:TEGATA_PROFILE$env:AWS_PROFILE" -and
            (Get-Command $global:__tegata_program -ErrorAction Ignore)) {
            $segment = & $global:__tegata_program prompt --segment powershell 2>$null
        }
        $global:LASTEXITCODE = $code
        # So that the inner prompt sees whether the last command succeeded.
        if (-not $succeeded) { Write-Error '' -ErrorAction Ignore }
        "$segment$(& $global:__tegata_inner_prompt)"
    }
}

Register-ArgumentCompleter -Native -CommandName tegata, tg -ScriptBlock {
    param($word, $ast, $cursor)
    $before = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object {
            if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
        })
    & $global:__tegata_program shell-hook complete --shell powershell "--word=$word" '--' @before 2>$null | ForEach-Object {
        $name, $what = $_ -split "`t", 2
        $inserted = $name
        if ($name -notmatch '^[\w./:@%+-]+$') { $inserted = "'" + ($name -replace "['\u2018-\u201b]", '$0$0') + "'" }
        [System.Management.Automation.CompletionResult]::new($inserted, $name, 'ParameterValue', "$what ")
    }
}
