"""The table: what of Jira is emulated, and what is known well enough that a recording of it is served and goes stale.

A row whose operation does nothing (`known`) answers from recordings alone, and says so for what was not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping

from durable_jira import operations_comments as comments
from durable_jira import operations_issues as issues
from durable_jira import operations_projects as projects
from durable_jira import operations_search as search
from durable_jira import operations_site as site
from durable_jira.resources import FIELD, ISSUE, ISSUETYPE, PRIORITY, PROJECT, RESOLUTION, STATUS, USER
from durable_replay.service.api import Footing, Operation
from durable_replay.service.verbs import index, show

__all__ = ["ROUTES"]

API = "/rest/api/{api:2|3|latest}"
AGILE = "/rest/agile/1.0"


def _all_issues(call: object) -> list[tuple[str, ...]]:
    return [ISSUE.of()]


def known(name: str, *, reads: tuple[Footing, ...] = (), writes: tuple[Footing, ...] = ()) -> Operation:
    """An operation that Jira has and the emulator has not; its footprint makes recordings go stale as they should."""
    return Operation(name, None, reads, writes)


ROUTES: Mapping[str, Operation] = {
    f"GET    {API}/serverInfo": site.server_info,
    f"GET    {API}/myself": site.get_myself,
    f"GET    {API}/field": index(FIELD),
    f"GET    {API}/issuetype": index(ISSUETYPE),
    f"GET    {API}/issuetype/{{issuetype}}": show(ISSUETYPE),
    f"GET    {API}/priority": index(PRIORITY),
    f"GET    {API}/priority/{{priority}}": show(PRIORITY),
    f"GET    {API}/status": index(STATUS),
    f"GET    {API}/status/{{status}}": show(STATUS),
    f"GET    {API}/resolution": index(RESOLUTION),
    f"GET    {API}/project": projects.list_projects,
    f"POST   {API}/project": projects.create_project,
    f"GET    {API}/project/search": projects.search_projects,
    f"GET    {API}/project/{{project}}": projects.get_project,
    f"POST   {API}/issue": issues.create_issue,
    f"GET    {API}/issue/createmeta": projects.create_meta,
    f"GET    {API}/issue/createmeta/{{project}}/issuetypes": projects.create_meta_types,
    f"GET    {API}/issue/createmeta/{{project}}/issuetypes/{{issuetype}}": projects.create_meta_fields,
    f"GET    {API}/issue/{{issue}}": issues.get_issue,
    f"PUT    {API}/issue/{{issue}}": issues.edit_issue,
    f"DELETE {API}/issue/{{issue}}": issues.delete_issue,
    f"PUT    {API}/issue/{{issue}}/assignee": issues.assign_issue,
    f"GET    {API}/issue/{{issue}}/changelog": issues.get_changelog,
    f"GET    {API}/issue/{{issue}}/transitions": issues.get_transitions,
    f"POST   {API}/issue/{{issue}}/transitions": issues.move_issue,
    f"GET    {API}/issue/{{issue}}/comment": comments.list_comments,
    f"POST   {API}/issue/{{issue}}/comment": comments.add_comment,
    f"GET    {API}/issue/{{issue}}/comment/{{comment}}": comments.get_comment,
    f"PUT    {API}/issue/{{issue}}/comment/{{comment}}": comments.edit_comment,
    f"DELETE {API}/issue/{{issue}}/comment/{{comment}}": comments.delete_comment,
    f"GET    {API}/search": search.search_issues,
    f"POST   {API}/search": search.search_issues,
    f"GET    {API}/search/jql": search.search_pages,
    f"POST   {API}/search/jql": search.search_pages,
    f"POST   {API}/search/approximate-count": search.count_issues,
    f"GET    {API}/mypermissions": known("my permissions"),
    f"GET    {API}/user": known("get user", reads=(lambda call: [USER.of()],)),
    f"GET    {API}/users": known("list users", reads=(lambda call: [USER.of()],)),
    f"GET    {API}/users/search": known("search all users", reads=(lambda call: [USER.of()],)),
    f"GET    {API}/user/search": known("find users", reads=(lambda call: [USER.of()],)),
    f"GET    {API}/user/assignable/search": known("find assignable users", reads=(lambda call: [USER.of()],)),
    f"GET    {API}/statuses/search": known("search statuses"),
    f"GET    {API}/priority/search": known("search priorities"),
    f"GET    {API}/project/{{project}}/components": known("components of a project", reads=(PROJECT,)),
    f"GET    {API}/project/{{project}}/versions": known("versions of a project", reads=(PROJECT,)),
    f"GET    {API}/project/{{project}}/statuses": projects.get_project_statuses,
    f"POST   {API}/issue/bulk": known("create issues in bulk", writes=(_all_issues,)),
    f"GET    {API}/issue/{{issue}}/editmeta": known("edit metadata", reads=(ISSUE,)),
    f"GET    {API}/issue/{{issue}}/remotelink": known("list remote links", reads=(ISSUE,)),
    f"POST   {API}/issue/{{issue}}/remotelink": known("add remote link", writes=(ISSUE,)),
    f"GET    {API}/issue/{{issue}}/watchers": known("list watchers", reads=(ISSUE,)),
    f"POST   {API}/issue/{{issue}}/watchers": known("add watcher", writes=(ISSUE,)),
    f"GET    {API}/issue/{{issue}}/worklog": known("list worklogs", reads=(ISSUE,)),
    f"POST   {API}/issue/{{issue}}/worklog": known("add worklog", writes=(ISSUE,)),
    f"POST   {API}/issue/{{issue}}/attachments": known("add attachments", writes=(ISSUE,)),
    f"POST   {API}/issueLink": known("link issues", writes=(_all_issues,)),
    f"GET    {AGILE}/epic/{{epic}}/issue": known("issues of an epic", reads=(_all_issues,)),
    f"POST   {AGILE}/epic/{{epic}}/issue": known("move issues to an epic", writes=(_all_issues,)),
}
