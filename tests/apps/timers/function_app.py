"""Timers: with and without monitor, at the start, overlapping, failing."""

import json
import logging

import azure.functions as func

app = func.FunctionApp()


def note(name: str, timer: func.TimerRequest) -> None:
    logging.info("%s %s", name, json.dumps([timer.past_due, timer.schedule_status, timer.schedule]))


@app.timer_trigger(arg_name="timer", schedule="0 */10 * * * *")
def every_ten_minutes(timer: func.TimerRequest) -> None:
    note("every_ten_minutes", timer)


@app.timer_trigger(arg_name="timer", schedule="%NIGHTLY%")
async def nightly(timer: func.TimerRequest) -> None:
    note("nightly", timer)
    raise ValueError("the schedule goes on")


@app.timer_trigger(arg_name="timer", schedule="01:30:00", use_monitor=False, run_on_startup=True)
def ninety_minutes(timer: func.TimerRequest) -> None:
    note("ninety_minutes", timer)


@app.schedule(arg_name="timer", schedule="*/20 * * * * *")
def three_a_minute(timer: func.TimerRequest) -> None:
    note("three_a_minute", timer)


@app.timer_trigger(arg_name="timer", schedule="every now and then")
def never(timer: func.TimerRequest) -> None:
    note("never", timer)
