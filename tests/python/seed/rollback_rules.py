import requests

# กำหนดเงื่อนไข Auto-Rollback
auto_rollback_config = {
    "enable": True,
    "conditions": [
        {
            "metric": "error_rate",
            "operator": ">",
            "threshold": 0.05,  # > 5% error rate
            "duration_seconds": 60,  # นาน 60 วินาที
            "action": "rollback_to_last_stable"
        },
        {
            "metric": "latency_p99",
            "operator": ">",
            "threshold_ms": 3000,  # > 3 วินาที
            "duration_seconds": 30,
            "action": "rollback_to_last_stable"
        },
        {
            "metric": "success_rate",
            "operator": "<",
            "threshold": 0.95,  # < 95%
            "duration_seconds": 120,
            "action": "rollback_to_last_stable"
        }
    ],
    "notification": {
        "slack_webhook": "https://hooks.slack.com/YOUR_WEBHOOK",
        "email": "[email protected]"
    }
}

# Apply config ผ่าน API
apply_response = requests.post(
    "https://api.holysheep.ai/v1/deploy/rollback-rules",
    headers={
        "Authorization": "Bearer YOUR_HOLYSHEEP_API_KEY",
        "Content-Type": "application/json"
    },
    json=auto_rollback_config
)
print(f"Auto-rollback rules applied: {apply_response.json()}")
