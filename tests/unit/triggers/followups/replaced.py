"""What callers of the replaced system know: its routes, what they are sent, and the shape of what they answer."""

# A field that ends in ? may be null. `time` is a text with a moment, `word` one of a few texts.
AGENT = {
    "id": "int", "email": "text", "auth_provider": "word", "name": "text", "phone": "text?", "title": "text?",
    "company": "text?", "bio": "text?", "avatar_url": "text?", "google_sub": "text?", "is_active": "bool",
    "created_at": "time", "updated_at": "time",
}  # fmt: skip
SESSION = {"access_token": "text", "token_type": "word", "agent": AGENT}
CLIENT = {
    "id": "int", "agent_id": "int", "name": "text?", "email": "text", "phone": "text?", "property_address": "text?",
    "property_type": "word", "stage": "word", "notes": "text?", "custom_fields": "object", "last_contacted": "time?",
    "is_deleted": "bool", "email_unsubscribed": "bool", "created_at": "time", "updated_at": "time",
}  # fmt: skip
TASK = {
    "id": "int", "agent_id": "int", "client_id": "int", "email_sent_id": "int?", "followup_type": "text",
    "scheduled_for": "time", "status": "word", "priority": "word", "notes": "text?", "completed_at": "time?",
    "email_preview?": {"subject": "text", "body": "text"}, "created_at": "time", "updated_at": "time",
}  # fmt: skip
EMAIL = {
    "id": "int", "agent_id": "int", "task_id": "int", "client_id": "int", "from": "text?", "to": "text",
    "from_name": "text?", "from_email": "text?", "to_email": "text", "ses_message_id": "text?",
    "subject": "text", "body": "text", "status": "word", "provider_message_id": "text?", "sent_at": "time?",
    "opened_at": "time?", "clicked_at": "time?", "error_message": "text?", "retry_count": "int", "created_at": "time",
    "webhook_events": [{"kind": "text", "happened_at": "time"}],
}  # fmt: skip
STATS = {
    "total_clients": "int", "active_clients": "int", "pending_tasks": "int", "completed_tasks": "int",
    "emails_sent_today": "int", "emails_sent_this_week": "int", "open_rate": "number", "click_rate": "number",
    "conversion_rate": "number",
}  # fmt: skip
DONE = {"success": "word"}
DELETED = DONE | {"deleted_count": "int", "failed_ids": ["int"], "total_requested": "int"}
DUE = {
    "id": "int", "client_id": "int", "followup_type": "text", "scheduled_for": "time", "status": "word",
    "is_due": "bool",
}  # fmt: skip
DIAGNOSTICS = {
    "current_time_utc": "time", "total_tasks": "int", "pending_tasks": "int", "due_tasks": "int",
    "due_tasks_details": [DUE], "scheduler_status": "text",
}  # fmt: skip
ACTIVITY = {
    "type": "word", "subject": "text", "to": "text", "status": "text", "at": "time", "client_name": "text",
    "client_id": "int",
}  # fmt: skip
PREVIEW = {"subject": "text", "body": "text", "html_body": "text", "preview": "text"}
PROCESSING = {"message": "text", "count": "int", "due_tasks_found": "int", "current_time": "time"}
JOB = {"id": "text", "name": "text", "next_run_time": "time", "trigger": "text"}
CLIENT_FIELDS = "name phone property_address property_type stage notes custom_fields"
# Route: status, answer, and what the caller may send in its body or, after a ?, its query.
ROUTES = {
    "POST /api/agents/register": (200, SESSION, "email password name phone title company bio"),
    "POST /api/agents/login": (200, SESSION, "email password"),
    "POST /api/agents/google": (200, SESSION, "credential"),
    "GET /api/agents/me": (200, AGENT, ""),
    "PATCH /api/agents/me": (200, AGENT, "name phone title company bio avatar_url"),
    "GET /api/clients": (200, [CLIENT], "?page limit stage search"),
    "POST /api/clients": (200, CLIENT, f"email {CLIENT_FIELDS}?create_tasks"),
    "GET /api/clients/{client_id}": (200, CLIENT, ""),
    "PATCH /api/clients/{client_id}": (200, CLIENT, f"email {CLIENT_FIELDS} email_unsubscribed"),
    "DELETE /api/clients/{client_id}": (200, DONE, ""),
    "DELETE /api/clients/bulk": (200, DELETED, "ids"),
    "GET /api/clients/{client_id}/tasks": (200, [TASK], ""),
    "GET /api/tasks": (200, [TASK], "?page limit status client_id"),
    "POST /api/tasks": (200, TASK, "client_id followup_type scheduled_for notes priority"),
    "GET /api/tasks/{task_id}": (200, TASK, ""),
    "PATCH /api/tasks/{task_id}": (200, TASK, "status scheduled_for notes priority email_preview"),
    "DELETE /api/tasks/bulk": (200, DELETED, "ids"),
    "DELETE /api/tasks/{task_id}": (200, DONE, ""),
    "GET /api/tasks/diagnostics/due-tasks": (200, DIAGNOSTICS, "?limit"),
    "POST /api/tasks/process-due": (200, PROCESSING, ""),
    "GET /api/emails": (200, [EMAIL], "?page limit client_id status"),
    "GET /api/emails/{email_id}": (200, EMAIL, ""),
    "POST /api/emails/preview": (200, PREVIEW, "client_id task_id agent_instructions"),
    "POST /api/emails/send": (200, EMAIL, "client_id task_id to_email subject body agent_instructions"),
    "DELETE /api/emails/bulk": (200, DELETED, "ids"),
    "DELETE /api/emails/{email_id}": (200, DONE, ""),
    "GET /api/dashboard/stats": (200, STATS, ""),
    "GET /api/dashboard/recent-activity": (200, [ACTIVITY], "?limit"),
    "GET /health": (200, {"status": "word"}, ""),
    "GET /health/scheduler": (200, {"running": "bool", "jobs": [JOB]}, ""),
}
