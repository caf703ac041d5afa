# Runs a hook, `infra/hooks/run.ps1 infra.hooks.NAME`, with Python packages of its own. Windows.
param([Parameter(Mandatory = $true)][string]$Module, [Parameter(ValueFromRemainingArguments = $true)][string[]]$Arguments)
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '..\..')
$venv = 'infra\hooks\.venv'
$mark = Join-Path $venv 'installed'
$wanted = (Get-Content -Raw 'infra\hooks\requirements.txt') + (Get-Content -Raw 'requirements.txt')

if (-not (Test-Path $mark) -or ((Get-Content -Raw $mark) -ne $wanted)) {
    $check = 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
    $names = if ($env:MANIFOLD_PYTHON) { @($env:MANIFOLD_PYTHON) } else { @('python', 'python3', 'py') }
    $found = $null
    foreach ($name in $names) {
        if (Get-Command $name -ErrorAction SilentlyContinue) {
            & $name -c $check 2>$null
            if ($LASTEXITCODE -eq 0) { $found = $name; break }
        }
    }
    if (-not $found) {
        throw 'The hooks need Python 3.11, 3.12 or 3.13. Install one, or name it in MANIFOLD_PYTHON.'
    }
    Write-Output "Installing what the hooks need into $venv ..."
    if (Test-Path $venv) { Remove-Item -Recurse -Force $venv }
    & $found -m venv $venv
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
    & "$venv\Scripts\python.exe" -m pip install --quiet --disable-pip-version-check -r infra\hooks\requirements.txt
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
    Set-Content -NoNewline -Path $mark -Value $wanted
}
& "$venv\Scripts\python.exe" -m $Module @Arguments
exit $LASTEXITCODE
